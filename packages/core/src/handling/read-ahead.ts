import type { Clock } from "../transport/clock.ts";

/** How much handling a transport reads ahead, in milliseconds: enough that no handler waits for a round trip. */
const HANDLING_AHEAD_MS = 10;
/** The most deliveries read ahead: a crash returns all of them. */
const MAX_LIMIT = 1_000;
/** One of so many events is measured. */
const SAMPLE = 16;
/** The least time between two changes: each costs the broker a round trip. */
const MIN_INTERVAL_MS = 20;
/** Smaller events are not measured: as many of them as may be read ahead have 4 MB. */
const SMALL_BYTES = 4_096;

/**
 * How many deliveries may be unsettled at once: twice the concurrency, and more while handlers are quick, up to what all
 * of them together use in 10 ms. With no more than the concurrency a broker idles between round trips. Fewer where
 * events are large, so that they fit into so many bytes (H9).
 *
 * It goes by how long handling takes, not by how much is handled: what is read ahead bounds that itself.
 */
export class ReadAhead {
  limit: number;
  readonly #concurrency: number;
  readonly #maxBytes: number;
  readonly #clock: Clock;
  #count = 0;
  /** What handling one event takes, in milliseconds, as it has been lately; 0 before any was measured. */
  #duration = 0;
  /** How large the events are, in bytes, as they have been lately. */
  #size = 0;
  #changed = Number.NEGATIVE_INFINITY;

  constructor(concurrency: number, maxBytes: number, clock: Clock) {
    this.#concurrency = concurrency;
    this.#maxBytes = maxBytes;
    this.limit = concurrency * 2;
    this.#clock = clock;
  }

  /** To be called with the size of each event that arrives; gives whether {@link limit} has changed. */
  received(bytes: number): boolean {
    // Large events count at once, and are forgotten slowly.
    if (bytes <= SMALL_BYTES && this.#size <= SMALL_BYTES) return false;
    this.#size = Math.max(bytes, this.#size - (this.#size - bytes) / SAMPLE);
    if (this.limit <= this.#mostBySize) return false;
    this.limit = this.#mostBySize;
    return true;
  }

  /** To be called when handling begins; gives what {@link ended} needs to know. */
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
    if (now - this.#changed < MIN_INTERVAL_MS) return false;
    const used = Math.ceil((this.#concurrency * HANDLING_AHEAD_MS) / this.#duration);
    const bySpeed = Math.max(this.#concurrency * 2, Math.min(used, MAX_LIMIT));
    const limit = Math.min(bySpeed, this.#mostBySize);
    // Neither a small change nor a moment's lull is worth a round trip.
    if (limit < this.limit * 1.25 && limit > this.limit / 2) return false;
    this.limit = limit;
    this.#changed = now;
    return true;
  }

  get #mostBySize(): number {
    if (this.#size <= SMALL_BYTES) return Number.POSITIVE_INFINITY;
    return Math.max(1, Math.floor(this.#maxBytes / this.#size));
  }
}
