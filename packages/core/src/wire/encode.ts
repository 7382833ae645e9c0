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
  // Copied now: the user's object may change before the headers are made.
  const more =
    cause === undefined && userHeaders === undefined ? undefined : { ...causeHeaders(parts), ...userHeaders };
  return new OwnEvent(name, id, time, source, text, more);
}

/**
 * An event that was made here. Headers, and bytes of its text, are made only for those who want them: in memory a
 * plain event needs neither.
 */
export class OwnEvent implements EncodedEvent {
  readonly name: string;
  readonly id: string;
  readonly time: number;
  /** The payload's JSON, which the codec has written itself. */
  readonly text: string;
  readonly #source: string;
  readonly #more: Headers | undefined;
  #headers: Headers | undefined = undefined;
  #body: Uint8Array | undefined = undefined;

  constructor(name: string, id: string, time: number, source: string, text: string, more: Headers | undefined) {
    this.name = name;
    this.id = id;
    this.time = time;
    this.text = text;
    this.#source = source;
    this.#more = more;
  }

  get headers(): Headers {
    return (this.#headers ??= this.#makeHeaders());
  }

  get body(): Uint8Array {
    return (this.#body ??= Buffer.from(this.text));
  }

  #makeHeaders(): Headers {
    // The names are those of HEADER, written out: a literal with computed names costs several times as much.
    const headers: Record<string, string> = {
      ce_specversion: "1.0",
      ce_id: this.id,
      ce_type: this.name,
      ce_source: this.#source,
      ce_time: isoTime(this.time),
      "content-type": "application/json",
    };
    return this.#more === undefined ? headers : Object.assign(headers, this.#more);
  }
}

/** The most characters of a trace that is continued: one from outside may be of any length, and would not fit every broker. */
const MAX_TRACE_LENGTH = 1_024;

/** A trace is continued whole or not at all: the state of one says nothing about another. */
function causeHeaders({ cause, userHeaders }: EventParts): Headers {
  if (cause === undefined) return {};
  const headers: Record<string, string> = { [HEADER.cause]: cause.id };
  const { traceparent, tracestate = "" } = cause.headers;
  if (userHeaders?.[HEADER.traceParent] !== undefined || traceparent === undefined) return headers;
  if (traceparent.length + tracestate.length > MAX_TRACE_LENGTH) return headers;
  headers[HEADER.traceParent] = traceparent;
  if (tracestate !== "") headers[HEADER.traceState] = tracestate;
  return headers;
}
