/** How many are remembered: more than are confirmed within any time that is asked for. */
const SIZE = 65_536;

/** The latest events that were confirmed, and when. */
export class RecentlyConfirmed {
  readonly #numbers = new Float64Array(SIZE);
  readonly #times = new Float64Array(SIZE);
  #count = 0;

  add(number: number): void {
    const place = this.#count++ % SIZE;
    this.#numbers[place] = number;
    this.#times[place] = performance.now();
  }

  /** Those that were confirmed at this time of `performance.now()` or later. */
  *since(time: number): Iterable<number> {
    for (let index = this.#count - 1; index >= 0 && index >= this.#count - SIZE; index -= 1) {
      const place = index % SIZE;
      if ((this.#times[place] ?? 0) < time) return;
      yield this.#numbers[place] ?? 0;
    }
  }
}
