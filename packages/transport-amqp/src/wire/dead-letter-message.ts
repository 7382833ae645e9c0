import { createHash } from "node:crypto";
import { HEADER, readAttempt, type StoredDeadLetter } from "@papa-events/core/transport";
import type { Message, Options } from "amqplib";
import { nameIn, type Origin, received } from "./received-message.ts";
import { rejections } from "./x-death.ts";

/** Where a letter stands among the others, as text that sorts; the queue's own order changes when a letter is renewed. */
const ORDER = "papa_order";
/** The most bytes of the original's traceback that are kept where its headers are more than amqplib can send. */
const MAX_TRACEBACK = 16_384;

type RawHeaders = Readonly<Record<string, unknown>>;

let counter = 0;

function newOrder(base = ""): string {
  counter += 1;
  return `${base}${Date.now().toString().padStart(15, "0")}-${counter.toString().padStart(9, "0")}`;
}

/** The properties of a new letter: its id, its place, and the traceback where the original has it. */
export function letterProperties(stored: Options.Publish, id: string, traceback: string): Options.Publish {
  return {
    ...stored,
    correlationId: id,
    headers: { ...stored.headers, exception: traceback, [ORDER]: newOrder() },
  };
}

/** A letter's id and place, if this library has written them; one of the original's has neither. */
export function stampOf({ properties }: Message): { readonly id: string; readonly order: string } | undefined {
  const order: unknown = properties.headers?.[ORDER];
  const id: unknown = properties.correlationId;
  return typeof order === "string" && typeof id === "string" ? { id, order } : undefined;
}

/** The place of a letter of the original's: behind the one before it in the queue, and behind those stamped earlier. */
export function orderAfter(before: string): string {
  return newOrder(`${before.split("~")[0]}~`);
}

/** An id for a letter that has none: of all that is in it, so that it is the same at each listing. */
export function contentId({ properties, content }: Message): string {
  const hash = createHash("sha256")
    .update(String(properties.messageId ?? ""))
    .update("\0");
  return hash
    .update(String(properties.headers?.exception ?? ""))
    .update("\0")
    .update(content)
    .digest("hex")
    .slice(0, 32);
}

/** The same letter as a new message, which no return has been counted against yet. */
export function renewedProperties(
  { properties }: Message,
  { id, order }: { readonly id: string; readonly order: string },
  cutTraceback: boolean,
): Options.Publish {
  const headers: Record<string, unknown> = {};
  for (const [name, value] of Object.entries<unknown>(properties.headers ?? {})) {
    // The count starts anew; the others would route copies.
    if (/^(?:x-delivery-count|cc|bcc)$/i.test(name)) continue;
    headers[name] = name === "exception" && cutTraceback ? String(value).slice(0, MAX_TRACEBACK) : sendable(value);
  }
  headers[ORDER] = order;
  const { contentType, contentEncoding, priority, replyTo, messageId, timestamp, type, appId } = properties;
  // Neither user_id, which must be the connection's own, nor expiration: a letter never expires.
  const kept = { contentType, contentEncoding, priority, replyTo, messageId, timestamp, type, appId };
  const set = Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined));
  return { ...set, headers, persistent: true, correlationId: id };
}

/** amqplib sends -128 to -1 in a type that the original cannot send again. */
function sendable(value: unknown): unknown {
  return typeof value === "number" && value < 0 && value >= -128 ? { "!": "int", value } : value;
}

/** A letter with the id and the place that it has, or shall get. */
export interface Identified {
  readonly message: Message;
  readonly id: string;
  readonly order: string;
}

/** A message of a dead-letter queue as the core reads it; what the original leaves out is made of what it writes. */
export function storedLetter({ message, id, order }: Identified, origin: Origin): StoredDeadLetter {
  // The count is the broker's, of the listings.
  const { [ORDER]: _, "x-delivery-count": __, ...headers } = (message.properties.headers ?? {}) as RawHeaders;
  const rejected = rejections(headers, origin.queue);
  const name = nameIn(headers, rejected.name, origin);
  if (headers[HEADER.reason] !== undefined) return { id, event: received(message, name, headers) };
  const exception = headers.exception === undefined ? "" : String(headers.exception);
  const attempts = readAttempt(headers) + rejected.count;
  const told = {
    [HEADER.attempt]: String(attempts),
    [HEADER.reason]: rejected.count > 0 ? "retries-exhausted" : "rejected",
    // When it died is nowhere in it; when it was first listed is the nearest that stays the same.
    [HEADER.lastFailedAt]: timeOf(order),
    ...errorOf(exception),
  };
  return { id, event: received(message, name, { ...headers, ...told }) };
}

function timeOf(order: string): string {
  return new Date(Number(order.split("~").at(-1)?.split("-")[0] ?? 0)).toISOString();
}

/** Python's traceback ends with `Name: message`; a message of several lines begins at the last line that has a name. */
function errorOf(traceback: string): Record<string, string> {
  const lines = traceback.trimEnd().split("\n");
  const last = lines.findLastIndex((line) => /^[A-Za-z_][\w.]*(?::|$)/.test(line));
  const found = /^([\w.]+)(?::\s*(.*))?$/s.exec(lines.slice(Math.max(last, 0)).join("\n"));
  return {
    [HEADER.errorName]: found?.[1] ?? "Error",
    [HEADER.errorMessage]: found?.[2] ?? traceback.slice(0, 4_096),
    [HEADER.errorStack]: traceback,
  };
}

/** Whether the name of a letter's event is nowhere in it. */
export function isNameless(message: Message, queue: string): boolean {
  const headers = message.properties.headers ?? {};
  return headers[HEADER.type] === undefined && rejections(headers, queue).name === undefined;
}
