/** What became of numbered events, by the facts that workers report. */
export class Ledger {
  /** Grows with every fact. */
  facts = 0;
  /** When each was confirmed. */
  readonly #confirmed = new Map<number, number>();
  readonly #excused = new Set<number>();
  readonly #handled = new Map<number, number>();
  readonly #collected = new Map<number, number>();
  readonly #rejected: string[] = [];
  readonly #failing: number;
  #miscounted = 0;

  /** @param failing every event whose number this divides fails once; none unless set */
  constructor(failing = Number.NaN) {
    this.#failing = failing;
  }

  /** Takes a worker's line. */
  take(line: string): void {
    const [fact, value = "", more = ""] = line.split(" ");
    const number = Number(value);
    this.facts += 1;
    switch (fact) {
      case "confirmed":
        this.#confirmed.set(number, performance.now());
        break;
      case "rejected":
        this.#rejected.push(more);
        break;
      case "handled":
        increment(this.#handled, number);
        if (more !== (number % this.#failing === 0 ? "2" : "1")) this.#miscounted += 1;
        break;
      case "collected":
        increment(this.#collected, number);
        break;
      default:
        throw new Error(`A worker said ${JSON.stringify(line)}.`);
    }
  }

  get confirmed(): number {
    return this.#confirmed.size;
  }

  /** Different events whose handler came to its end. */
  get handled(): number {
    return this.#handled.size;
  }

  /** Calls of the handler that got the wrong attempt, such as after a kill that was taken for a failure. */
  get miscounted(): number {
    return this.#miscounted;
  }

  /** The codes that publishes were rejected with. */
  get rejected(): readonly string[] {
    return this.#rejected;
  }

  /** Calls of the handler for events that had been handled. */
  get duplicates(): number {
    return surplus(this.#handled);
  }

  /** Outputs that came again. */
  get duplicateOutputs(): number {
    return surplus(this.#collected);
  }

  /** Confirmed events that were not handled. */
  get unhandled(): number[] {
    return [...this.#confirmed.keys()].filter((number) => !this.#handled.has(number));
  }

  /** Handled events whose output was not collected. */
  get withoutOutput(): number[] {
    return [...this.#handled.keys()].filter((number) => this.#confirmed.has(number) && !this.#collected.has(number));
  }

  /** From now on it is not a fault if what was confirmed in the last so many milliseconds is lost. */
  excuse(milliseconds: number): void {
    const since = performance.now() - milliseconds;
    for (const [number, time] of this.#confirmed) if (time >= since) this.#excused.add(number);
  }

  /** Those of these events that nothing excuses. */
  unexcused(numbers: readonly number[]): number[] {
    return numbers.filter((number) => !this.#excused.has(number));
  }

  /** Whether all that is confirmed, and that nothing excuses, is handled, and its outputs are collected. */
  get complete(): boolean {
    return this.unexcused(this.unhandled).length === 0 && this.unexcused(this.withoutOutput).length === 0;
  }
}

function increment(counts: Map<number, number>, number: number): void {
  counts.set(number, (counts.get(number) ?? 0) + 1);
}

function surplus(counts: ReadonlyMap<number, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count - 1;
  return sum;
}
