import type { FetchedRecord } from "./records.ts";

/**
 * The longest delay in each partition of the delay topic, in milliseconds. Delays of different lengths go to different
 * partitions, so that long delays are not read again and again for the sake of short ones.
 */
const MAX_DELAYS_MS = [2_000, 8_000, 32_000, 128_000, 512_000, 2_048_000, 8_192_000, Number.POSITIVE_INFINITY];

export const DELAY_PARTITIONS = MAX_DELAYS_MS.length;

/** Where a waiting record goes, and after how many milliseconds: `<milliseconds> <use case>` in its key. */
export interface Delay {
  readonly useCase: string;
  readonly delay: number;
}

/** Chooses the partition for a delay in milliseconds. */
export function delayPartition(delay: number): number {
  return MAX_DELAYS_MS.findIndex((max) => delay <= max);
}

export function encodeDelay({ useCase, delay }: Delay): string {
  return `${Math.ceil(delay)} ${useCase}`;
}

/** Reads a record's key; `undefined` if the record only carries the broker's time, or is not one of ours. */
export function readDelay({ key }: FetchedRecord): Delay | undefined {
  const parts = /^(\d{1,15}) (.+)$/.exec(key?.toString() ?? "");
  if (parts?.[1] === undefined || parts[2] === undefined) return undefined;
  return { useCase: parts[2], delay: Number(parts[1]) };
}
