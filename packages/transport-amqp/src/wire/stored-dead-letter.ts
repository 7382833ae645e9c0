import { HEADER, readAttempt, type StoredDeadLetter } from "@papa-events/core/transport";
import type { Message } from "amqplib";
import { POSITION_HEADER, type StampedMessage, timeOfPosition } from "./dead-letter-stamp.ts";
import { withoutBrokerHeaders } from "./properties.ts";
import { eventOf, keptName, type Origin } from "./received-message.ts";
import { rejectionsFrom } from "./x-death.ts";

type RawHeaders = Readonly<Record<string, unknown>>;

/** Reads a message of a dead-letter queue for the core. What the original leaves out is derived from what it writes. */
export function storedDeadLetter(
  { message, id, position }: StampedMessage,
  origin: Pick<Origin, "queue" | "fallbackName">,
): StoredDeadLetter {
  const received = (message.properties.headers ?? {}) as RawHeaders;
  const { [POSITION_HEADER]: _, ...headers } = withoutBrokerHeaders(received);
  const rejected = rejectionsFrom(received, origin.queue);
  const kept = keptName(message.properties, rejected.name);
  const name = kept ?? origin.fallbackName;
  // Where its name is lost, no pattern can tell whether the use case wants it: it has had it already.
  const nameless = kept === undefined;
  if (headers[HEADER.reason] !== undefined) return { id, event: eventOf(message, name, headers, nameless) };
  const exception = received.exception === undefined ? "" : String(received.exception);
  const attempts = readAttempt(headers) + rejected.count;
  const derived = {
    [HEADER.attempt]: String(attempts),
    [HEADER.reason]: rejected.count > 0 ? "retries-exhausted" : "rejected",
    // The time of its failure is nowhere in it. The time of its first listing is the nearest that stays the same.
    [HEADER.lastFailedAt]: timeOfPosition(position).toISOString(),
    ...errorHeadersFrom(exception),
  };
  return { id, event: eventOf(message, name, { ...headers, ...derived }, nameless) };
}

/** Whether a dead letter says nowhere what its event is called. */
export function isNameless({ properties }: Message, queue: string): boolean {
  return keptName(properties, rejectionsFrom(properties.headers ?? {}, queue).name) === undefined;
}

/** Python's traceback ends with `Name: message`; a message of several lines starts at the last line that has a name. */
function errorHeadersFrom(traceback: string): Record<string, string> {
  const lines = traceback.trimEnd().split("\n");
  const last = lines.findLastIndex((line) => /^[A-Za-z_][\w.]*(?::|$)/.test(line));
  const found = /^([\w.]+)(?::\s*(.*))?$/s.exec(lines.slice(Math.max(last, 0)).join("\n"));
  return {
    [HEADER.errorName]: found?.[1] ?? "Error",
    [HEADER.errorMessage]: found?.[2] ?? traceback.slice(0, 4_096),
    [HEADER.errorStack]: traceback,
  };
}
