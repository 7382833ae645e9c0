/** One entry of the broker's `x-death` header: how often a message left one queue for one reason. */
export interface Death {
  readonly queue: string;
  readonly reason: string;
  readonly count: number;
  /** The routing key of the first publish. */
  readonly routingKey: string | undefined;
  /** When it last did, in milliseconds since 1970. */
  readonly time: number;
}

type RawHeaders = Readonly<Record<string, unknown>>;

/**
 * Counts the original's failed attempts, each of which is a rejection from the use case's queue, and finds the name
 * that the event was published under. The entry is found by queue and reason, since its position differs: 3.10.8 orders
 * retry, delay, main, and 4.0.5 retry, main, delay.
 */
export function rejectionsFrom(headers: RawHeaders, queue: string): { readonly count: number; readonly name?: string } {
  const death = deathsIn(headers).find((each) => each.queue === queue && each.reason === "rejected");
  if (death === undefined) return { count: 0 };
  // A message that came by the default exchange was published under the queue's own name.
  const name = death.routingKey;
  return name === undefined || name === queue ? { count: death.count } : { count: death.count, name };
}

/** Whether a message is another use case's retry by the original, which comes back to every queue bound with `#`. */
export function isLeakedRetry(headers: RawHeaders, routingKey: string, queue: string): boolean {
  if (routingKey === queue) return false;
  const first = deathsIn(headers)[0];
  return first !== undefined && first.queue === `${routingKey}.retry` && first.reason === "expired";
}

/** Reads the entries of `x-death`, newest first. Anybody can send such a header, so nothing in it is trusted. */
export function deathsIn(headers: RawHeaders): readonly Death[] {
  const entries = headers["x-death"];
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((entry: unknown) => {
    if (typeof entry !== "object" || entry === null) return [];
    const { queue, reason, count, time, "routing-keys": keys } = entry as Record<string, unknown>;
    if (typeof queue !== "string" || typeof reason !== "string") return [];
    const routingKey: unknown = Array.isArray(keys) ? keys[0] : undefined;
    return [
      {
        queue,
        reason,
        count: typeof count === "number" && Number.isInteger(count) && count > 0 ? count : 1,
        routingKey: typeof routingKey === "string" ? routingKey : undefined,
        time: timeIn(time),
      },
    ];
  });
}

/** amqplib reads a timestamp as `{ "!": "timestamp", value }`, in seconds. */
function timeIn(time: unknown): number {
  const { value } = Object(time) as { readonly value?: unknown };
  return typeof value === "number" ? value * 1_000 : 0;
}
