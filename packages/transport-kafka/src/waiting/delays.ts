import type { FetchedRecord } from "../client/kafka-client.ts";

/**
 * The longest delay of each partition of the delay topic. Delays of different lengths go to different partitions, so that
 * what waits long is not read again and again for what waits shortly.
 */
const BUCKETS = [2_000, 8_000, 32_000, 128_000, 512_000, 2_048_000, 8_192_000, Number.POSITIVE_INFINITY];

export const DELAY_PARTITIONS = BUCKETS.length;

export function bucketOf(delay: number): number {
  return BUCKETS.findIndex((longest) => delay <= longest);
}

/** Where a waiting record goes and how long it waits: `<milliseconds> <use case>` in its key. */
export interface Waiting {
  readonly useCase: string;
  readonly delay: number;
}

export function encodeWaiting({ useCase, delay }: Waiting): string {
  return `${Math.ceil(delay)} ${useCase}`;
}

/** `undefined` for what only tells the time, or is not ours. */
export function readWaiting({ key }: FetchedRecord): Waiting | undefined {
  const parts = /^(\d{1,15}) (.+)$/.exec(key?.toString() ?? "");
  if (parts?.[1] === undefined || parts[2] === undefined) return undefined;
  return { useCase: parts[2], delay: Number(parts[1]) };
}
