import { systemClock } from "../transport/clock.ts";
import type { StoredDeadLetter } from "../transport/dead-letter-store.ts";
import type { EncodedEvent } from "../transport/event.ts";
import { EventReader, readCount } from "./decode.ts";
import type { ErrorText } from "./error-text.ts";
import { DELIVERY_HEADERS, HEADER } from "./header-names.ts";
import { type HeaderBudget, notedTime, type StoredAgain, storeAgain, withoutHeaders } from "./stored-again.ts";
import { cutText } from "./text.ts";
import { isoTime } from "./time.ts";

/** The most bytes of an error's stack on the wire. */
const MAX_STACK_BYTES = 8_192;
const MAX_MESSAGE_BYTES = 4_096;
const MAX_ERROR_NAME_BYTES = 256;

/** Why a use case gave an event up. */
export type DeadLetterReason =
  | "retries-exhausted"
  | "rejected"
  | "invalid-payload"
  | "invalid-output"
  | "unknown-event"
  | "crash-loop";

/** What a dead letter says besides the event. */
export interface DeadLetterNote {
  readonly useCase: string;
  readonly reason: DeadLetterReason;
  readonly attempts: number;
  readonly error: ErrorText;
}

/** Encodes the event as a dead letter (D1). */
export function encodeDeadLetter(
  event: StoredAgain,
  { useCase, reason, attempts, error }: DeadLetterNote,
  now: number,
  budget: HeaderBudget,
): EncodedEvent {
  return storeAgain(
    event,
    {
      [HEADER.firstFailedAt]: notedTime(event.reader, HEADER.firstFailedAt, now),
      [HEADER.lastFailedAt]: isoTime(now),
      [HEADER.attempt]: String(attempts),
      [HEADER.useCase]: useCase,
      [HEADER.reason]: reason,
      [HEADER.errorName]: cutText(error.name, MAX_ERROR_NAME_BYTES),
      [HEADER.errorMessage]: cutText(error.message, MAX_MESSAGE_BYTES),
      [HEADER.errorStack]: cutText(error.stack, MAX_STACK_BYTES),
    },
    budget,
  );
}

/** The most bytes of an error's message in a dead letter that the broker has refused once. */
const MIN_MESSAGE_BYTES = 256;

/**
 * Reduces a dead letter that the broker refused to what it cannot do without: the body, the library's own headers, the
 * beginning of the error's message (D5). `undefined` where it has no more than that.
 */
export function smallestDeadLetter(letter: EncodedEvent): EncodedEvent | undefined {
  if (letter.headers[HEADER.cut] === SMALLEST) return undefined;
  const own = Object.entries(letter.headers).filter(([name]) => OWN_HEADERS.has(name) && name !== HEADER.errorStack);
  const { rawHeaders: _, ...event } = letter;
  return {
    ...event,
    headers: {
      ...Object.fromEntries(own),
      [HEADER.errorMessage]: cutText(letter.headers[HEADER.errorMessage] ?? "", MIN_MESSAGE_BYTES),
      [HEADER.cut]: SMALLEST,
    },
  };
}

const SMALLEST = "stack, message, all headers";
const OWN_HEADERS: ReadonlySet<string> = new Set(Object.values(HEADER));

/** A letter was stored within the broker's budget, and loses headers here: it fits. */
const UNLIMITED: HeaderBudget = { maxBytes: Number.POSITIVE_INFINITY, perHeader: 0 };

/**
 * Encodes a dead letter as the event it was: attempt 1, same id, marked as redriven (D4).
 *
 * @param mended the JSON of the payload that it goes back with, in place of its own
 */
export function reviveDeadLetter(letter: StoredDeadLetter, mended?: string): EncodedEvent {
  const reader = new EventReader(letter.event, systemClock);
  const redriven = String(readCount(reader.text(HEADER.redriven), 0) + 1);
  const headers = {
    [HEADER.redriven]: redriven,
    ...(mended === undefined ? {} : { [HEADER.mended]: isoTime(systemClock.now()) }),
  };
  const body = mended === undefined ? letter.event.body : Buffer.from(mended);
  return withoutHeaders(storeAgain({ reader, body }, headers, UNLIMITED), DELIVERY_HEADERS);
}
