/** What became of numbered events, as the processes say it. */
export class Counts {
  readonly #confirmed = new Set<number>();
  readonly #handled = new Map<number, number>();
  readonly #collected = new Map<number, number>();
  /** The most memory of the publisher, in bytes. */
  memory = 0;

  hear(word: string, number: number): void {
    if (word === "confirmed") this.#confirmed.add(number);
    else if (word === "handled") count(this.#handled, number);
    else if (word === "collected") count(this.#collected, number);
    else if (word === "memory") this.memory = Math.max(this.memory, number);
  }

  get confirmed(): number {
    return this.#confirmed.size;
  }

  /** Confirmed events that no handler has got, or whose handler's output has got nowhere. */
  get lost(): number {
    return [...this.#confirmed].filter((number) => !this.#handled.has(number) || !this.#collected.has(number)).length;
  }

  /** How often handlers succeeded once more than needed, for events and for outputs. */
  get duplicates(): { readonly handled: number; readonly outputs: number } {
    return { handled: surplus(this.#handled), outputs: surplus(this.#collected) };
  }
}

function count(counts: Map<number, number>, number: number): void {
  counts.set(number, (counts.get(number) ?? 0) + 1);
}

function surplus(counts: ReadonlyMap<number, number>): number {
  return [...counts.values()].reduce((sum, each) => sum + each - 1, 0);
}
