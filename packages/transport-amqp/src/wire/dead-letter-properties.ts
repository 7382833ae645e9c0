import type { Message, Options } from "amqplib";
import { type DeadLetterStamp, newPosition, POSITION_HEADER } from "./dead-letter-stamp.ts";
import { sendableValue } from "./properties.ts";
import { cutText, MAX_TABLE_BYTES, tableSize } from "./table-size.ts";

/** How much of the original's traceback is kept if its headers are more than amqplib can send. */
const MAX_TRACEBACK_CHARACTERS = 16_384;

/** What a dead letter's own headers take at least: its position, and the beginning of the error. */
export const DEAD_LETTER_BYTES = 1_024;

/**
 * Makes the properties of a new dead letter, with the traceback where the original's tools look for it: as much of it as
 * there is room for.
 */
export function deadLetterProperties(stored: Options.Publish, id: string, traceback: string): Options.Publish {
  const headers: Record<string, unknown> = { ...stored.headers, exception: "", [POSITION_HEADER]: newPosition() };
  headers.exception = cutText(traceback, MAX_TABLE_BYTES - tableSize(headers));
  return { ...stored, correlationId: id, headers };
}

/** Makes the properties of a copy, which no return has been counted against yet. */
export function renewedProperties(
  { properties }: Message,
  { id, position }: DeadLetterStamp,
  cutTraceback: boolean,
): Options.Publish {
  const headers: Record<string, unknown> = {};
  for (const [name, value] of Object.entries<unknown>(properties.headers ?? {})) {
    // The count starts again; the others would route copies.
    if (/^(?:x-delivery-count|cc|bcc)$/i.test(name)) continue;
    const cut = name === "exception" && cutTraceback;
    headers[name] = cut ? String(value).slice(0, MAX_TRACEBACK_CHARACTERS) : sendableValue(value);
  }
  headers[POSITION_HEADER] = position;
  const { contentType, contentEncoding, priority, replyTo, messageId, timestamp, type, appId } = properties;
  // Without user_id, which must be the connection's own, and without expiration: a dead letter never expires.
  const kept = { contentType, contentEncoding, priority, replyTo, messageId, timestamp, type, appId };
  const set = Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined));
  return { ...set, headers, persistent: true, correlationId: id };
}
