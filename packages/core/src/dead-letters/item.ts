import { systemClock } from "../transport/clock.ts";
import type { Headers, ReceivedEvent } from "../transport/event.ts";
import type { DeadLetterReason } from "../wire/dead-letter.ts";
import { EventReader, readAttempt } from "../wire/decode.ts";
import type { ErrorText } from "../wire/error-text.ts";
import { HEADER } from "../wire/header-names.ts";
import { decodePayload } from "../wire/payload.ts";
import { parseTime } from "../wire/time.ts";

/** An event that a use case gave up on (D1). */
export interface DeadLetterItem {
  /** Names this dead letter within its use case, for `get`, `redrive` and `purge`. */
  readonly id: string;
  /** The event's id: `ctx.id` of its handlers, the same for every use case. */
  readonly eventId: string;
  readonly useCase: string;
  readonly eventName: string;
  /** The parsed JSON; absent if the body is not JSON. */
  readonly payload?: unknown;
  /** The bytes as received. */
  readonly body: Uint8Array;
  /** All headers, the library's own included. */
  readonly headers: Headers;
  readonly reason: DeadLetterReason;
  /** What the handler threw last, or what was wrong with the event; the stack is cut to 8 KiB. */
  readonly error: ErrorText;
  /** How many times it was tried. */
  readonly attempts: number;
  readonly firstFailedAt: Date;
  readonly lastFailedAt: Date;
}

/** All that there are. */
export const REASONS: ReadonlySet<string> = new Set<DeadLetterReason>([
  "retries-exhausted",
  "rejected",
  "invalid-payload",
  "invalid-output",
  "unknown-event",
  "crash-loop",
]);

/** Reads a dead letter back; one that another program stored gets defaults where it lacks something. */
export function readDeadLetter(
  { id, event }: { readonly id: string; readonly event: ReceivedEvent },
  useCase: string,
): DeadLetterItem {
  const reader = new EventReader(event, systemClock);
  const decoded = decodePayload(event);
  const lastFailedAt = parseTime(reader.text(HEADER.lastFailedAt)) ?? reader.time;
  const reason = reader.text(HEADER.reason) ?? "";
  return {
    id,
    eventId: reader.id,
    useCase,
    eventName: reader.name,
    ...("problem" in decoded ? {} : { payload: decoded.payload }),
    body: event.body,
    headers: reader.headers,
    reason: REASONS.has(reason) ? (reason as DeadLetterReason) : "rejected",
    error: {
      name: reader.text(HEADER.errorName) ?? "Error",
      message: reader.text(HEADER.errorMessage) ?? "",
      stack: reader.text(HEADER.errorStack) ?? "",
    },
    attempts: readAttempt(event.headers),
    firstFailedAt: new Date(parseTime(reader.text(HEADER.firstFailedAt)) ?? lastFailedAt),
    lastFailedAt: new Date(lastFailedAt),
  };
}
