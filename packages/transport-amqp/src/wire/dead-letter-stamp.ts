import { createHash } from "node:crypto";
import type { Message } from "amqplib";

/** Holds a dead letter's position, as text that sorts. The queue's own order changes whenever a copy replaces one. */
export const POSITION_HEADER = "papa_order";

/** What identifies a dead letter: its id, and its position among the others. */
export interface DeadLetterStamp {
  readonly id: string;
  readonly position: string;
}

/** A message of a dead-letter queue, with the stamp that it has or is about to get. */
export interface StampedMessage extends DeadLetterStamp {
  readonly message: Message;
}

let counter = 0;

/** Makes the position of a dead letter that is stored now. */
export function newPosition(prefix = ""): string {
  counter += 1;
  return `${prefix}${Date.now().toString().padStart(15, "0")}-${counter.toString().padStart(9, "0")}`;
}

/** Reads the stamp of a dead letter. One that the original wrote has none. */
export function stampOf({ properties }: Message): DeadLetterStamp | undefined {
  const position: unknown = properties.headers?.[POSITION_HEADER];
  const id: unknown = properties.correlationId;
  return typeof position === "string" && typeof id === "string" ? { id, position } : undefined;
}

/** Stamps a message that has no stamp yet. @param before the position of the one before it in the queue */
export function stamped(message: Message, before = "0"): StampedMessage {
  return { message, ...(stampOf(message) ?? { id: contentId(message), position: positionAfter(before) }) };
}

/** Makes an id for a dead letter that has none, from all its content, so that it is the same at each listing. */
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

/** Tells when a position was made. */
export function timeOfPosition(position: string): Date {
  return new Date(Number(position.split("~").at(-1)?.split("-")[0] ?? 0));
}

/** Sorts behind the dead letter before it in the queue, and behind those that were placed there earlier. */
function positionAfter(before: string): string {
  return newPosition(`${before.split("~")[0]}~`);
}
