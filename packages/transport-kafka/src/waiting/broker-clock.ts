/**
 * The broker's clock, as the partitions' records tell it: the time of the latest record plus the time since. That never runs
 * ahead of the broker, so no event is early, whatever local clocks say.
 */
export class BrokerClock {
  /** A lower bound for the broker's clock minus the monotonic clock, by partition. */
  readonly #offsets = new Map<number, number>();

  /** The broker's time is at least this; minus infinity before any record has told it. */
  now(partition: number): number {
    return performance.now() + (this.#offsets.get(partition) ?? Number.NEGATIVE_INFINITY);
  }

  /** Notes that the broker's time was at least this just now. */
  update(partition: number, time: number): void {
    const offset = time - performance.now();
    if (offset > (this.#offsets.get(partition) ?? Number.NEGATIVE_INFINITY)) this.#offsets.set(partition, offset);
  }
}
