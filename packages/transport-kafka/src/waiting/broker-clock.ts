/** Clocks of machines drift apart by less, and requests do not take longer than this without notice. */
const TOLERANCE_MS = 250;
/** For so long what has been confirmed is taken for granted. */
const FRESH_MS = 1_000;

/** What is known of one broker's clock, in relation to the monotonic clock. */
interface Known {
  /** It is at least that far ahead. */
  bound: number;
  /** It was at most that far ahead when it was asked. */
  readonly limit: number;
  /** When this was last confirmed, by the monotonic clock. */
  confirmedAt: number;
  /** The offset of the record that asked. */
  readonly offset: number;
}

/**
 * The clocks of the brokers that lead the partitions of the delay topic, as they have told: the time at which one stored a
 * record, plus the time since. That never runs ahead of the broker, so no event is early, whatever local clocks say. A
 * broker's clock may be set back, or the partition move to a broker whose clock is behind (L9): then a later record tells an
 * earlier time. What a record tells is believed where it makes events later, and asked about otherwise.
 */
export class BrokerClock {
  readonly #known = new Map<number, Known>();

  /** A broker's time is at least this; minus infinity before it has been asked. */
  now(partition: number): number {
    return performance.now() + (this.#known.get(partition)?.bound ?? Number.NEGATIVE_INFINITY);
  }

  /** Whether what is known has been confirmed so lately that the clock will not have been set since. */
  isFresh(partition: number): boolean {
    const known = this.#known.get(partition);
    return known !== undefined && performance.now() - known.confirmedAt < FRESH_MS;
  }

  /** Notes an answer: a record was stored at this offset and time. @param sentAt when it was sent, by the monotonic clock */
  answered(partition: number, offset: number, time: number, sentAt: number): void {
    const now = performance.now();
    this.#known.set(partition, { bound: time - now, limit: time - sentAt, confirmedAt: now, offset });
  }

  /** Notes a record that has just been read. @returns whether the broker should be asked, since its clock seems to have been set */
  read(partition: number, offset: number, time: number): boolean {
    const known = this.#known.get(partition);
    // What was stored before the question says nothing new.
    if (known === undefined || offset <= known.offset) return false;
    const now = performance.now();
    const bound = time - now;
    if (bound > known.limit + TOLERANCE_MS) return true;
    if (bound >= known.bound - TOLERANCE_MS) {
      known.bound = Math.max(known.bound, bound);
      known.confirmedAt = now;
      return false;
    }
    known.bound = bound;
    return true;
  }
}
