/** Why something came again. */
export type Cause = "kill" | "lostReply" | "takeOver";

/** What goes wrong with the broker this long before a fact may be why it is repeated, in milliseconds. */
const LATE_MS = 5_000;

/** What went wrong and when, as far as it explains what comes again. Times are of `performance.now()`. */
export class Causes {
  readonly #died = new Map<number, number>();
  #struck = Number.NEGATIVE_INFINITY;

  /** A process was killed. */
  killed(process: number): void {
    this.#died.set(process, performance.now());
  }

  /** The broker, or the way to it, goes wrong, or is right again. */
  struck(): void {
    this.#struck = performance.now();
  }

  /**
   * Why something comes again now: the process that had it first was killed before that was stored; or the broker's reply
   * was lost, or the broker was; or neither, so that another took over what a living process had.
   */
  of(process: number, at: number): Cause {
    if (this.#died.has(process)) return "kill";
    return this.#struck >= at - LATE_MS ? "lostReply" : "takeOver";
  }
}
