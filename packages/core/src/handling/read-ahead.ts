import type { Clock } from "../transport/clock.ts";

/** How much handling a transport shall read ahead, in milliseconds: enough that no handler waits for a round trip. */
const HANDLING_AHEAD = 10;
/** The most read ahead: a crash returns, and counts, all of it. */
const MOST = 1_000;
/** How many events are handled between two looks at the clock. */
const SAMPLE = 64;

/**
 * How many deliveries may be unsettled at once: twice the concurrency, and more while handlers are quick, up to
 * what 10 ms of handling uses. With no more than the concurrency a broker idles between round trips.
 */
export class ReadAhead {
  limit: number;
  readonly #least: number;
  readonly #clock: Clock;
  #handled = 0;
  #since: number;

  constructor(concurrency: number, clock: Clock) {
    this.#least = concurrency * 2;
    this.limit = this.#least;
    this.#clock = clock;
    this.#since = clock.elapsed();
  }

  /** Counts a handled event; whether {@link limit} has changed. */
  handledOne(): boolean {
    this.#handled += 1;
    if (this.#handled < SAMPLE) return false;
    const now = this.#clock.elapsed();
    const perMillisecond = this.#handled / Math.max(now - this.#since, 0.01);
    this.#handled = 0;
    this.#since = now;
    const limit = Math.max(this.#least, Math.min(Math.ceil(perMillisecond * HANDLING_AHEAD), MOST));
    // Small changes are not worth telling a broker.
    if (Math.abs(limit - this.limit) < this.limit / 4) return false;
    this.limit = limit;
    return true;
  }
}
