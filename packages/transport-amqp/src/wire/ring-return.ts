import { HEADER, readAttempt } from "@papa-events/core/transport";
import type { Message, Options } from "amqplib";
import { foreignProperties, sendableHeaders } from "./properties.ts";
import { isStoredAgain, RETURNS_HEADER } from "./received-message.ts";
import { deathsIn, rejectionsFrom } from "./x-death.ts";

/** What becomes of a message that comes back from the original's retry queue. */
export interface RingReturn {
  /** Why it left its use case's queue, if not by a rejection: the broker takes its return for a cycle, and drops it. */
  readonly reason: string | undefined;
  /** The properties of a copy for that queue. */
  readonly properties: Options.Publish;
}

/** Reads a message that came back to the exchange under the name of a use case's queue. */
export function readRingReturn({ properties }: Message, queue: string): RingReturn {
  const headers: Readonly<Record<string, unknown>> = properties.headers ?? {};
  const left = deathsIn(headers).filter((death) => death.queue === queue);
  const last = left.toSorted((one, other) => other.time - one.time)[0];
  const reason = last === undefined || last.reason === "rejected" ? undefined : last.reason;
  const name = left.map(({ routingKey }) => routingKey).find((key) => key !== undefined && key !== queue);
  const copied: Record<string, unknown> = sendableHeaders(headers);
  if (name !== undefined) copied[HEADER.type] ??= name;
  else if (!isStoredAgain(headers)) copied[HEADER.direct] = "1";
  const attempt = readAttempt(headers) + rejectionsFrom(headers, queue).count;
  if (attempt > 1) copied[HEADER.attempt] = String(attempt);
  // The broker's own count begins anew with the copy.
  const returned = reason === "delivery_limit" ? Math.max(1, countIn(headers["x-delivery-count"])) : 0;
  copied[RETURNS_HEADER] = countIn(headers[RETURNS_HEADER]) + returned;
  const { messageId, timestamp, type, appId, correlationId } = properties;
  const kept = { messageId, timestamp, type, appId, correlationId };
  return {
    reason,
    properties: {
      ...Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)),
      ...foreignProperties(properties),
      headers: copied,
      persistent: true,
    },
  };
}

function countIn(value: unknown): number {
  return typeof value === "number" && value > 0 ? value : 0;
}
