import type { Clock } from "../transport/clock.ts";

/** How much handling a transport shall read ahead, in milliseconds: enough that no handler waits for a round trip. */
const HANDLING_AHEAD = 10;
/** The most read ahead: a crash returns, and counts, all of it. */
const MOST = 1_000;
/** One of so many events is measured. */
const SAMPLE = 16;
/** The least time between two changes, in milliseconds: each costs the broker a round trip. */
const INTERVAL = 20;

/**
 * How many deliveries may be unsettled at once: twice the concurrency, and more while handlers are quick, up to what all
 * of them together use in 10 ms. With no more than the concurrency a broker idles between round trips.
 *
 * By how long handling takes, not by how much is handled: what is read ahead bounds that itself.
 */
export class ReadAhead {
  limit: number;
  readonly #concurrency: number;
  readonly #clock: Clock;
  #count = 0;
  /** What handling one event takes, in milliseconds, as it has been lately; 0 before any was measured. */
  #duration = 0;
  #changed = Number.NEGATIVE_INFINITY;

  constructor(concurrency: number, clock: Clock) {
    this.#concurrency = concurrency;
    this.limit = concurrency * 2;
    this.#clock = clock;
  }

  /** To be called when handling begins; gives what {@link ended} wants to know. */
  begins(): number {
    this.#count += 1;
    return this.#count % SAMPLE === 0 ? this.#clock.elapsed() : Number.NaN;
  }

  /** Whether {@link limit} has changed. */
  ended(begun: number): boolean {
    if (Number.isNaN(begun)) return false;
    const now = this.#clock.elapsed();
    const duration = now - begun;
    // Time that stands still, as in tests, says nothing.
    if (duration <= 0) return false;
    this.#duration += this.#duration === 0 ? duration : (duration - this.#duration) / 4;
    if (now - this.#changed < INTERVAL) return false;
    const used = Math.ceil((this.#concurrency * HANDLING_AHEAD) / this.#duration);
    const limit = Math.max(this.#concurrency * 2, Math.min(used, MOST));
    // Neither a small change nor a moment's lull is worth telling.
    if (limit < this.limit * 1.25 && limit > this.limit / 2) return false;
    this.limit = limit;
    this.#changed = now;
    return true;
  }
}
