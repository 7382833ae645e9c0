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
const SPACE = 32;
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
  readonly #headersFrom: number;
  readonly #headersTo: number;
  readonly #bodyFrom: number;
  #headers: Readonly<Record<string, unknown>> | undefined;
  #text: string | undefined;

  constructor(packed: Buffer) {
    const space = packed.indexOf(SPACE);
    const first = packed.indexOf(LF, space + 1);
    const second = packed.indexOf(LF, first + 1);
    this.#packed = packed;
    this.#headersFrom = first + 1;
    this.#headersTo = second;
    if (space === -1 || first === -1 || second === -1) {
      // Not written by this library: all of it is the body. It has no name, so it becomes a dead letter.
      this.attempt = 1;
      this.name = "";
      this.#bodyFrom = 0;
      this.#headers = {};
      return;
    }
    const attempt = space === 1 ? (packed[0] ?? 0) - 48 : Number(packed.toString("latin1", 0, space));
    this.attempt = Number.isInteger(attempt) && attempt >= 1 ? attempt : 1;
    this.name = first === space + 1 ? undefined : packed.toString("utf8", space + 1, first);
    this.#bodyFrom = second + 1;
  }

  get body(): Buffer {
    return this.#packed.subarray(this.#bodyFrom);
  }

  get text(): string | undefined {
    if (this.#packed.length - this.#bodyFrom > MAX_TEXT_BYTES) return undefined;
    return (this.#text ??= this.#packed.toString("utf8", this.#bodyFrom));
  }

  get headers(): Readonly<Record<string, unknown>> {
    this.#headers ??= unpackHeaders(this.name ?? "", this.#packed.toString("utf8", this.#headersFrom, this.#headersTo));
    return this.#headers;
  }
}

function unpackHeaders(name: string, text: string): Readonly<Record<string, unknown>> {
  if (text.startsWith("{")) return parseHeaders(text);
  const [id, time, source, others] = text.split("\t");
  if (source === undefined) return {};
  return {
    [HEADER.specVersion]: SPEC_VERSION,
    [HEADER.id]: id,
    [HEADER.type]: name,
    [HEADER.source]: source,
    [HEADER.time]: time,
    [HEADER.contentType]: CONTENT_TYPE,
    ...(others === undefined ? undefined : parseHeaders(others)),
  };
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
