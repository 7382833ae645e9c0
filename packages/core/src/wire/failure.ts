import { systemClock } from "../transport/clock.ts";
import type { StoredDeadLetter } from "../transport/dead-letter-store.ts";
import type { EncodedEvent, Headers } from "../transport/event.ts";
import { EventReader, readCount } from "./decode.ts";
import type { ErrorText } from "./error-text.ts";
import { HEADER, STAY_HEADERS } from "./header-names.ts";
import { cutText } from "./text.ts";
import { isoTime, parseTime } from "./time.ts";
import { MAX_HEADER_BYTES } from "./user-headers.ts";

/** The most bytes of an error's stack on the wire; with it a dead letter always fits. */
const MAX_STACK_BYTES = 8_192;
const MAX_MESSAGE_BYTES = 4_096;
const MAX_ERROR_NAME_BYTES = 256;
/** How much of the error a waiting retry carries: enough to see why it waits. */
const MAX_RETRY_MESSAGE_BYTES = 512;
/** A name of an event from outside may be longer than ours, as long as AMQP's routing key. */
const MAX_FOREIGN_NAME_BYTES = 255;
/** All that an event is stored again with: the user's headers and a failure with its stack. Clients refuse more than 65,536 bytes. */
const MAX_STORED_BYTES = MAX_HEADER_BYTES + MAX_STACK_BYTES + 2 * MAX_MESSAGE_BYTES;

/** Why a use case gave an event up. */
export type DeadLetterReason =
  | "retries-exhausted"
  | "rejected"
  | "invalid-payload"
  | "invalid-output"
  | "unknown-event"
  | "crash-loop";

/** A received event and the body it came with, ready to be stored again. */
export interface StoredAgain {
  readonly reader: EventReader;
  readonly body: Uint8Array;
}

/** The event as it waits for attempt number `attempt`. */
export function encodeRetry(event: StoredAgain, attempt: number, error: ErrorText, now: number): EncodedEvent {
  const waiting = again(event, {
    ...failureHeaders(event.reader, now),
    [HEADER.attempt]: String(attempt),
    [HEADER.errorName]: cutText(error.name, MAX_ERROR_NAME_BYTES),
    [HEADER.errorMessage]: cutText(error.message, MAX_RETRY_MESSAGE_BYTES),
  });
  // It has found its handler: should it have to be handed on again, then with the whole grace before it.
  return without(waiting, [HEADER.handedOn, HEADER.handedOnSince]);
}

/** The event as a dead letter of `useCase` (D1). */
export function encodeDeadLetter(
  event: StoredAgain,
  letter: {
    readonly useCase: string;
    readonly reason: DeadLetterReason;
    readonly attempts: number;
    readonly error: ErrorText;
  },
  now: number,
): EncodedEvent {
  return again(event, {
    ...failureHeaders(event.reader, now),
    [HEADER.attempt]: String(letter.attempts),
    [HEADER.useCase]: letter.useCase,
    [HEADER.reason]: letter.reason,
    [HEADER.errorName]: cutText(letter.error.name, MAX_ERROR_NAME_BYTES),
    [HEADER.errorMessage]: cutText(letter.error.message, MAX_MESSAGE_BYTES),
    [HEADER.errorStack]: cutText(letter.error.stack, MAX_STACK_BYTES),
  });
}

/** The event on its way to another instance of its use case (R6): nothing about its attempts changes. */
export function encodeHandOn(event: StoredAgain, now: number): EncodedEvent {
  const times = readCount(event.reader.text(HEADER.handedOn), 0);
  return again(event, {
    [HEADER.handedOn]: String(times + 1),
    [HEADER.handedOnSince]: timeIn(event.reader, HEADER.handedOnSince, now),
  });
}

/** A dead letter as the event it was: attempt 1, same id, marked as redriven (D4). */
export function reviveDeadLetter(letter: StoredDeadLetter): EncodedEvent {
  const reader = new EventReader(letter.event, systemClock);
  const event = again(
    { reader, body: letter.event.body },
    { [HEADER.redriven]: String(readCount(reader.text(HEADER.redriven), 0) + 1) },
  );
  return without(event, STAY_HEADERS);
}

function without(event: EncodedEvent, names: readonly string[]): EncodedEvent {
  const headers = Object.fromEntries(Object.entries(event.headers).filter(([name]) => !names.includes(name)));
  return { ...event, headers };
}

/** An event from outside gets our metadata here, so that its name, id and time stay what they were. */
function again({ reader, body }: StoredAgain, changes: Headers): EncodedEvent {
  const { id, time } = reader;
  const name = cutText(reader.name, MAX_FOREIGN_NAME_BYTES);
  const ours = {
    [HEADER.specVersion]: "1.0",
    [HEADER.id]: id,
    [HEADER.type]: name,
    [HEADER.source]: cutText(reader.text(HEADER.source) ?? "unknown", MAX_FOREIGN_NAME_BYTES),
    [HEADER.time]: isoTime(time),
    ...changes,
  };
  return { name, id, time, headers: { ...fitting(reader.headers, ours), ...ours }, body };
}

function failureHeaders(reader: EventReader, now: number): Headers {
  return { [HEADER.firstFailedAt]: timeIn(reader, HEADER.firstFailedAt, now), [HEADER.lastFailedAt]: isoTime(now) };
}

/** A time noted before, or now: written anew, since a stranger's header may hold anything. */
function timeIn(reader: EventReader, header: string, now: number): string {
  return isoTime(parseTime(reader.text(header)) ?? now);
}

/**
 * The headers without the largest of those that are too many to be stored again. Only an event from outside can
 * have such: ours are checked when they are published.
 *
 * @param replaced headers that are written anew anyway
 */
function fitting(headers: Headers, replaced: Headers): Headers {
  const kept: Record<string, string> = {};
  const sizes: [name: string, bytes: number][] = [];
  let total = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (Object.hasOwn(replaced, name)) continue;
    const bytes = Buffer.byteLength(name) + Buffer.byteLength(value);
    kept[name] = value;
    sizes.push([name, bytes]);
    total += bytes;
  }
  if (total <= MAX_STORED_BYTES) return kept;
  const dropped: string[] = [];
  for (const [name, bytes] of sizes.sort((a, b) => b[1] - a[1])) {
    if (total <= MAX_STORED_BYTES) break;
    total -= bytes;
    delete kept[name];
    dropped.push(name);
  }
  return { ...kept, [HEADER.dropped]: cutText(dropped.join(" "), MAX_FOREIGN_NAME_BYTES) };
}
