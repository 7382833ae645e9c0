import type { Entry, Happening } from "./entry.ts";

/** What has happened in a run, in its order. */
export class History {
  readonly entries: Entry[] = [];
  readonly #elapsed: () => number;

  /** @param elapsed milliseconds since the run began */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
  }

  add(happening: Happening): void {
    this.entries.push({ at: this.#elapsed(), ...happening });
  }
}
