import type { EncodedEvent, Headers } from "../transport/event.ts";
import { HEADER } from "./header-names.ts";
import { isoTime } from "./time.ts";

/** Everything that makes up an event on the wire, checked. */
export interface EventParts {
  readonly name: string;
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Who publishes it, as a URI reference. */
  readonly source: string;
  /** The payload's JSON. */
  readonly text: string;
  readonly userHeaders: Readonly<Record<string, string>> | undefined;
  /** The event being handled while this one is published; its trace goes on in this one. */
  readonly cause: { readonly id: string; readonly headers: Readonly<Record<string, string>> } | undefined;
}

/** Puts an event into its wire format. */
export function encodeEvent(parts: EventParts): EncodedEvent {
  const { name, id, time, source, text, userHeaders, cause } = parts;
  // The names are those of HEADER, written out: a literal with computed names costs several times as much.
  const headers: Record<string, string> = {
    ce_specversion: "1.0",
    ce_id: id,
    ce_type: name,
    ce_source: source,
    ce_time: isoTime(time),
    "content-type": "application/json",
  };
  if (cause !== undefined) addCause(headers, cause, userHeaders?.[HEADER.traceParent] !== undefined);
  if (userHeaders !== undefined) Object.assign(headers, userHeaders);
  return new TextEvent(name, id, time, headers, text);
}

/** Bytes are made of its text only for those who want bytes. */
class TextEvent implements EncodedEvent {
  readonly name: string;
  readonly id: string;
  readonly time: number;
  readonly headers: Headers;
  readonly text: string;
  #body: Uint8Array | undefined = undefined;

  constructor(name: string, id: string, time: number, headers: Headers, text: string) {
    this.name = name;
    this.id = id;
    this.time = time;
    this.headers = headers;
    this.text = text;
  }

  get body(): Uint8Array {
    return (this.#body ??= Buffer.from(this.text));
  }
}

/** The most characters of a trace that goes on: one from outside may be of any length, and would not fit every broker. */
const MAX_TRACE_LENGTH = 1_024;

/** A trace is gone on with whole or not at all: the state of one says nothing about another. */
function addCause(headers: Record<string, string>, cause: NonNullable<EventParts["cause"]>, hasTrace: boolean): void {
  headers[HEADER.cause] = cause.id;
  const { traceparent, tracestate = "" } = cause.headers;
  if (hasTrace || traceparent === undefined) return;
  if (traceparent.length + tracestate.length > MAX_TRACE_LENGTH) return;
  headers[HEADER.traceParent] = traceparent;
  if (tracestate !== "") headers[HEADER.traceState] = tracestate;
}
