import { isUtf8 } from "node:buffer";
import { type EncodedEvent, type ReceivedEvent, readAttempt } from "@papa-events/core/transport";

/*
 * An event as it is stored, in queues, among the waiting and as a dead letter:
 *
 *     packed  = attempt SP name LF headers LF body
 *     attempt = 1*DIGIT            ; the header papa_attempt, so that no reader has to parse the headers for it
 *     name    = *( any but LF )    ; the event name
 *     headers = JSON object        ; all metadata, values are strings; JSON.stringify writes no LF
 *     body    = *OCTET             ; the payload's JSON
 */

const LF = 10;
const SPACE = 32;

/** What ioredis sends; strings cost it less than buffers. */
export type Packed = string | Buffer;

export function pack(event: EncodedEvent): Packed {
  const name = event.name.includes("\n") ? "" : event.name;
  const head = `${readAttempt(event.headers)} ${name}\n${JSON.stringify(event.headers)}\n`;
  const { buffer, byteOffset, length } = event.body;
  const body = Buffer.from(buffer, byteOffset, length);
  return isUtf8(body) ? head + body.toString() : Buffer.concat([Buffer.from(head), body]);
}

/** A packed event, read on demand: most handlers look at few headers. */
export class PackedEvent implements ReceivedEvent {
  readonly attempt: number;
  readonly name: string | undefined;
  readonly body: Buffer;
  readonly #packed: Buffer;
  readonly #headersFrom: number;
  readonly #headersTo: number;
  #headers: Readonly<Record<string, unknown>> | undefined;

  constructor(packed: Buffer) {
    const space = packed.indexOf(SPACE);
    const first = packed.indexOf(LF, space + 1);
    const second = packed.indexOf(LF, first + 1);
    this.#packed = packed;
    this.#headersFrom = first + 1;
    this.#headersTo = second;
    if (space === -1 || first === -1 || second === -1) {
      // Not written by this library: all of it is the body, and without a name it becomes a dead letter.
      this.attempt = 1;
      this.name = "";
      this.body = packed;
      this.#headers = {};
      return;
    }
    const attempt = space === 1 ? (packed[0] ?? 0) - 48 : Number(packed.toString("latin1", 0, space));
    this.attempt = Number.isInteger(attempt) && attempt >= 1 ? attempt : 1;
    this.name = first === space + 1 ? undefined : packed.toString("utf8", space + 1, first);
    this.body = packed.subarray(second + 1);
  }

  get headers(): Readonly<Record<string, unknown>> {
    return (this.#headers ??= parseHeaders(this.#packed.toString("utf8", this.#headersFrom, this.#headersTo)));
  }
}

function parseHeaders(text: string): Readonly<Record<string, unknown>> {
  try {
    const headers: unknown = JSON.parse(text);
    return typeof headers === "object" && headers !== null && !Array.isArray(headers)
      ? (headers as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}
