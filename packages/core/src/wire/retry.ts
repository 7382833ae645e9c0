import type { EncodedEvent } from "../transport/event.ts";
import type { ErrorText } from "./error-text.ts";
import { HEADER } from "./header-names.ts";
import { type HeaderBudget, notedTime, type StoredAgain, storeAgain, withoutHeaders } from "./stored-again.ts";
import { cutText } from "./text.ts";
import { isoTime } from "./time.ts";

const MAX_ERROR_NAME_BYTES = 256;
/** How much of the error a waiting retry carries: enough to see why it waits. */
const MAX_MESSAGE_BYTES = 512;

/** Encodes the event as it waits for attempt number `attempt`. */
export function encodeRetry(
  event: StoredAgain,
  attempt: number,
  error: ErrorText,
  now: number,
  budget: HeaderBudget,
): EncodedEvent {
  const waiting = storeAgain(
    event,
    {
      [HEADER.firstFailedAt]: notedTime(event.reader, HEADER.firstFailedAt, now),
      [HEADER.lastFailedAt]: isoTime(now),
      [HEADER.attempt]: String(attempt),
      [HEADER.errorName]: cutText(error.name, MAX_ERROR_NAME_BYTES),
      [HEADER.errorMessage]: cutText(error.message, MAX_MESSAGE_BYTES),
    },
    budget,
  );
  // It has found its handler: should it be forwarded again, then with the whole grace before it.
  return withoutHeaders(waiting, [HEADER.forwarded, HEADER.forwardedSince, HEADER.redelivered]);
}
