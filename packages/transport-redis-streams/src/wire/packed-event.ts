import { isUtf8 } from "node:buffer";
import { type EncodedEvent, HEADER, type ReceivedEvent, readAttempt } from "@papa-events/core/transport";
import { fromJsonValue, toJsonValue } from "./raw-headers.ts";

/*
 * An event as it is stored in a queue, while it waits, and as a dead letter:
 *
 *     packed   = attempt SP name LF headers LF body
 *     attempt  = 1*DIGIT              ; the header papa_attempt, so that a reader need not parse the headers for it
 *     name     = *( any but LF )      ; the event name
 *     headers  = standard [TAB others] / others
 *     standard = id TAB time TAB source ; ce_id, ce_time and ce_source; the other headers of every event are implied
 *     others   = JSON object          ; values are strings or raw (raw-headers.ts); JSON.stringify writes neither LF nor TAB
 *     body     = *OCTET               ; the payload's JSON
 */

const LF = 10;
const ZERO = 48;
/** The values that the short form implies, besides ce_type, which is the name. */
const SPEC_VERSION = "1.0";
const CONTENT_TYPE = "application/json";

const STANDARD: ReadonlySet<string> = new Set([
  HEADER.specVersion,
  HEADER.id,
  HEADER.type,
  HEADER.source,
  HEADER.time,
  HEADER.contentType,
]);
const STANDARD_FORM = /^[^{\t\n][^\t\n]*\t[^\t\n]*\t[^\t\n]*$/;

/** Larger bodies are not kept as text besides. */
const MAX_TEXT_BYTES = 65_536;

/** An event as ioredis sends it; strings cost it less than buffers. */
export type Packed = string | Buffer;

/** Packs an event as the grammar above says. */
export function pack(event: EncodedEvent): Packed {
  const name = event.name.includes("\n") ? "" : event.name;
  const head = `${readAttempt(event.headers)} ${name}\n${packHeaders(name, event)}\n`;
  if (event.text !== undefined) return head + event.text;
  const { buffer, byteOffset, length } = event.body;
  const body = Buffer.from(buffer, byteOffset, length);
  return isUtf8(body) ? head + body.toString() : Buffer.concat([Buffer.from(head), body]);
}

function packHeaders(name: string, { headers, rawHeaders }: EncodedEvent): string {
  if (rawHeaders !== undefined) {
    const raw = Object.entries(rawHeaders).map(([header, value]) => [header, toJsonValue(value)]);
    return JSON.stringify({ ...headers, ...Object.fromEntries(raw) });
  }
  const standard = packStandard(name, headers);
  if (standard === undefined) return JSON.stringify(headers);
  const names = Object.keys(headers);
  if (names.length === STANDARD.size) return standard;
  const others = names.filter((header) => !STANDARD.has(header)).map((header) => [header, headers[header]]);
  return `${standard}\t${JSON.stringify(Object.fromEntries(others))}`;
}

/** Returns `undefined` where another program has sent something that the short form cannot hold. */
function packStandard(name: string, headers: EncodedEvent["headers"]): string | undefined {
  const { ce_specversion: version, ce_type: type, ce_id: id, ce_time: time, ce_source: source } = headers;
  if (type !== name || version !== SPEC_VERSION || headers[HEADER.contentType] !== CONTENT_TYPE) return undefined;
  if (id === undefined || time === undefined || source === undefined) return undefined;
  const standard = `${id}\t${time}\t${source}`;
  return STANDARD_FORM.test(standard) ? standard : undefined;
}

/** A packed event. Headers and body are read on demand, since most handlers look at few headers. */
export class PackedEvent implements ReceivedEvent {
  readonly attempt: number;
  readonly name: string | undefined;
  readonly #packed: Buffer;
  readonly #packedHeaders: string;
  readonly #bodyFrom: number;
  #headers: Readonly<Record<string, unknown>> | undefined;
  #text: string | undefined;

  constructor(packed: Buffer) {
    this.#packed = packed;
    const second = packed.indexOf(LF, packed.indexOf(LF) + 1);
    // All before the body in one piece: each call that makes text of bytes costs as much as this whole function.
    const head = second === -1 ? "" : packed.toString("utf8", 0, second);
    const first = head.indexOf("\n");
    const space = head.indexOf(" ");
    if (space === -1 || space > first) {
      // Not written by this library: all of it is the body. It has no name, so it becomes a dead letter.
      this.attempt = 1;
      this.name = "";
      this.#bodyFrom = 0;
      this.#packedHeaders = "{}";
      return;
    }
    const attempt = space === 1 ? head.charCodeAt(0) - ZERO : Number(head.slice(0, space));
    this.attempt = Number.isInteger(attempt) && attempt >= 1 ? attempt : 1;
    this.name = first === space + 1 ? undefined : head.slice(space + 1, first);
    this.#packedHeaders = head.slice(first + 1);
    this.#bodyFrom = second + 1;
  }

  get headerBytes(): number {
    return this.#packedHeaders.length;
  }

  get body(): Buffer {
    return this.#packed.subarray(this.#bodyFrom);
  }

  get text(): string | undefined {
    if (this.#packed.length - this.#bodyFrom > MAX_TEXT_BYTES) return undefined;
    return (this.#text ??= this.#packed.toString("utf8", this.#bodyFrom));
  }

  get headers(): Readonly<Record<string, unknown>> {
    return (this.#headers ??= unpackHeaders(this.name ?? "", this.#packedHeaders));
  }
}

function unpackHeaders(name: string, text: string): Readonly<Record<string, unknown>> {
  if (text.startsWith("{")) return parseHeaders(text);
  const first = text.indexOf("\t");
  const second = text.indexOf("\t", first + 1);
  if (first === -1 || second === -1) return {};
  const third = text.indexOf("\t", second + 1);
  // Its members by name: with computed ones it takes four times as long.
  const standard = {
    ce_specversion: SPEC_VERSION,
    ce_id: text.slice(0, first),
    ce_type: name,
    ce_source: third === -1 ? text.slice(second + 1) : text.slice(second + 1, third),
    ce_time: text.slice(first + 1, second),
    "content-type": CONTENT_TYPE,
  };
  return third === -1 ? standard : { ...standard, ...parseHeaders(text.slice(third + 1)) };
}

function parseHeaders(text: string): Readonly<Record<string, unknown>> {
  try {
    const headers: unknown = JSON.parse(text);
    if (typeof headers !== "object" || headers === null || Array.isArray(headers)) return {};
    for (const [name, value] of Object.entries(headers)) {
      if (typeof value !== "string") Object.assign(headers, { [name]: fromJsonValue(value) });
    }
    return headers as Record<string, unknown>;
  } catch {
    return {};
  }
}
