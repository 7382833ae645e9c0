/** Queues take a time to live of at most 2^32 - 1 ms, some 49 days; a longer delay ends there. */
const MAX_DELAY_MS = 4_294_967_000;
/** Each longer step is so much longer than the one before: within the 10 % that a delay may be late. */
const GROWTH = 1.09;
/** Delays that people write are kept exactly. */
const EXACT_DELAYS_MS: ReadonlySet<number> = new Set(
  [15, 20, 30, 60, 120, 300, 600, 1_800, 3_600].map((seconds) => seconds * 1_000),
);

/**
 * Rounds a delay up to one that has a queue, so that nothing is early. It is late by at most 100 ms below 2 s, 0.5 s
 * below 10 s, and 9 % beyond. Without steps, jitter and `RetryAfter` would make a queue per millisecond; with them all
 * delays up to ten minutes take fewer than a hundred queues.
 */
export function delayStep(delay: number): number {
  if (!(delay > 0)) return 0;
  if (delay <= 2_000) return Math.ceil(delay / 100) * 100;
  if (delay <= 10_000) return Math.ceil(delay / 500) * 500;
  if (delay >= MAX_DELAY_MS) return MAX_DELAY_MS;
  if (EXACT_DELAYS_MS.has(delay)) return delay;
  const steps = Math.floor(Math.log(delay / 10_000) / Math.log(GROWTH));
  const step = longStep(steps);
  return step >= delay ? step : Math.max(longStep(steps + 1), delay);
}

function longStep(steps: number): number {
  return Math.ceil((10_000 * GROWTH ** steps) / 100) * 100;
}
