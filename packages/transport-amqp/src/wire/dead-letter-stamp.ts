import { createHash } from "node:crypto";
import type { Message } from "amqplib";

/** Holds a dead letter's position, as text that sorts. The queue's own order changes whenever a copy replaces one. */
export const POSITION_HEADER = "papa_order";

/** What identifies a dead letter: its id, and its position among the others. */
export interface DeadLetterStamp {
  readonly id: string;
  readonly position: string;
}

/** A message of a dead-letter queue, with the stamp that it has or would get. */
export interface StampedMessage extends DeadLetterStamp {
  readonly message: Message;
}

/** The time of a position that is not stored: behind all that are, and the same at each listing. */
export const NEVER = "9".repeat(15);

let counter = 0;

/** Makes the position of a dead letter that is stored now. */
export function newPosition(): string {
  counter += 1;
  return positionAt(timeNow(), counter);
}

/** The time as positions have it. */
export function timeNow(): string {
  return Date.now().toString().padStart(NEVER.length, "0");
}

/** Makes a position of a time, and of a number among those of that time. */
export function positionAt(time: string, number: number): string {
  return `${time}-${number.toString().padStart(9, "0")}`;
}

/** Reads the stamp of a dead letter. One that the original wrote has none. */
export function stampOf({ properties }: Message): DeadLetterStamp | undefined {
  const position: unknown = properties.headers?.[POSITION_HEADER];
  const id: unknown = properties.correlationId;
  return typeof position === "string" && typeof id === "string" ? { id, position } : undefined;
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

/** Whether a position is stored. */
export function isLasting(position: string): boolean {
  return !position.includes(NEVER);
}

/** Tells when a position was made. */
export function timeOfPosition(position: string): Date {
  const time = position.split("~").at(-1)?.split("-")[0] ?? "0";
  return time === NEVER ? new Date() : new Date(Number(time));
}
