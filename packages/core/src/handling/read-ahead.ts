import type { Clock } from "../transport/clock.ts";

/** How much handling a transport shall read ahead, in milliseconds: enough that no handler waits for a round trip. */
const HANDLING_AHEAD = 10;
/** The most read ahead: a crash returns, and counts, all of it. */
const MOST = 1_000;
/** How many events are handled between two looks at the clock, and how many milliseconds a rate is measured over. */
const SAMPLE = 64;
const WINDOW = 20;

/**
 * How many deliveries may be unsettled at once: twice the concurrency, and more while handlers are quick, up to
 * what 10 ms of handling uses. With no more than the concurrency a broker idles between round trips.
 */
export class ReadAhead {
  limit: number;
  readonly #least: number;
  readonly #clock: Clock;
  #handled = 0;
  #total = 0;
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
    this.#total += this.#handled;
    this.#handled = 0;
    const now = this.#clock.elapsed();
    const elapsed = now - this.#since;
    // Over less, the size of what a socket happens to deliver at once is measured.
    if (elapsed < WINDOW) return false;
    const limit = Math.max(this.#least, Math.min(Math.ceil((this.#total / elapsed) * HANDLING_AHEAD), MOST));
    this.#total = 0;
    this.#since = now;
    // Telling a broker costs it a round trip: small changes are not worth one, nor is a moment's lull.
    if (limit < this.limit * 1.25 && limit > this.limit / 2) return false;
    this.limit = limit;
    return true;
  }
}
