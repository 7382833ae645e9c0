import { isUtf8 } from "node:buffer";
import { randomUUID } from "node:crypto";
import type { Clock } from "../transport/clock.ts";
import type { Headers, ReceivedEvent } from "../transport/event.ts";
import { HEADER, isOwnHeader, UNSAFE_NAMES } from "./header-names.ts";
import { parseTime } from "./time.ts";

/** Far more attempts than any policy makes; a larger number is a stranger's. */
const MAX_ATTEMPT = 1_000_000;

/** The most characters of an event id. */
export const MAX_ID_LENGTH = 200;
/** AMQP's message id has no more; an id from outside may have characters of several bytes. */
const MAX_ID_BYTES = 255;

/**
 * The metadata of a received event, read safely: a header of ours with the wrong type counts as absent, and what
 * an event from outside lacks gets a default (L5). Nothing here throws.
 *
 * Members are read on demand, since most handlers look at few of them.
 */
export class EventReader {
  readonly #event: ReceivedEvent;
  readonly #clock: Pick<Clock, "now">;
  #id: string | undefined;
  #time: number | undefined;
  #headers: Headers | undefined;

  /** @param clock gives an event without a time the present one */
  constructor(event: ReceivedEvent, clock: Pick<Clock, "now">) {
    this.#event = event;
    this.#clock = clock;
  }

  /** The published name; empty if there is none. */
  get name(): string {
    return this.#event.name ?? this.text(HEADER.type) ?? "";
  }

  get id(): string {
    return (this.#id ??= usableId(this.text(HEADER.id)) ?? usableId(this.#event.id) ?? randomUUID());
  }

  /** Milliseconds since 1970. */
  get time(): number {
    return (this.#time ??= parseTime(this.text(HEADER.time)) ?? usableTime(this.#event.time) ?? this.#clock.now());
  }

  /** Whether somebody has put it straight into this use case's queue (L5). */
  get direct(): boolean {
    return this.#event.direct === true || this.#event.headers[HEADER.direct] !== undefined;
  }

  /** All headers as strings, ours included; without those that no string can stand for. */
  get headers(): Headers {
    return (this.#headers ??= headersAsText(this.#event.headers));
  }

  /** The headers that are not the library's own. */
  get userHeaders(): Headers {
    return Object.fromEntries(Object.entries(this.headers).filter(([name]) => !isOwnHeader(name)));
  }

  /** The headers that are not strings, as the broker gave them: they come back as they were from a retry or a dead letter (L5). */
  get rawHeaders(): Readonly<Record<string, unknown>> {
    const raw: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(this.#event.headers)) {
      if (typeof value !== "string" && !isOwnHeader(name) && !UNSAFE_NAMES.has(name)) raw[name] = value;
    }
    return raw;
  }

  /** One header as a string. */
  text(name: string): string | undefined {
    const value = this.#event.headers[name];
    return typeof value === "string" ? value : headerAsText(value);
  }
}

function usableId(id: string | undefined): string | undefined {
  if (id === undefined || id === "" || id.length > MAX_ID_LENGTH) return undefined;
  return Buffer.byteLength(id) > MAX_ID_BYTES ? undefined : id;
}

/** What `Date` can hold: a stranger's clock may give anything. */
function usableTime(time: number | undefined): number | undefined {
  return time === undefined || Number.isNaN(new Date(time).getTime()) ? undefined : time;
}

/** The attempt that a delivery is by our own header: 1 unless it holds a number of at least 1 (T4). For transports. */
export function readAttempt(headers: Readonly<Record<string, unknown>>): number {
  const value = headers[HEADER.attempt];
  if (value === undefined) return 1;
  return readCount(headerAsText(value), 1);
}

/** How often a delivered event had come back unexplained before it was last forwarded: the broker has counted anew since (T6). */
export function readRedelivered(headers: Readonly<Record<string, unknown>>): number {
  const value = headers[HEADER.redelivered];
  return value === undefined ? 0 : readCount(headerAsText(value), 0);
}

/** A count in a header, or `fallback` where it holds none. */
export function readCount(text: string | undefined, fallback: number): number {
  const count = Number(text);
  return Number.isInteger(count) && count >= fallback && count <= MAX_ATTEMPT ? count : fallback;
}

function headersAsText(headers: Readonly<Record<string, unknown>>): Headers {
  const out: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    const text = UNSAFE_NAMES.has(name) ? undefined : headerAsText(headers[name]);
    if (text !== undefined) out[name] = text;
  }
  return out;
}

/** A header's value as text: bytes are read as UTF-8, a repeated header (a list) counts by its first value. */
function headerAsText(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "bigint":
    case "boolean":
      return String(value);
    case "object":
      if (value instanceof Uint8Array) return isUtf8(value) ? Buffer.from(value).toString() : undefined;
      // Not further down: a stranger's lists may be nested deeper than the stack is.
      return Array.isArray(value) && !Array.isArray(value[0]) ? headerAsText(value[0]) : undefined;
    default:
      return undefined;
  }
}
