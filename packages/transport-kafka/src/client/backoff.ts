import { sleep } from "./time-limit.ts";

const INITIAL_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 2_000;

/** Pauses between tries: each twice as long as the one before up to a maximum, with half of it random. */
export class Backoff {
  readonly #initial: number;
  readonly #max: number;
  #next: number;

  constructor(initial = INITIAL_BACKOFF_MS, max = MAX_BACKOFF_MS) {
    this.#initial = initial;
    this.#max = max;
    this.#next = initial;
  }

  reset(): void {
    this.#next = this.#initial;
  }

  async pause(): Promise<void> {
    const pause = this.#next * (0.5 + Math.random() / 2);
    this.#next = Math.min(this.#next * 2, this.#max);
    await sleep(pause);
  }
}
