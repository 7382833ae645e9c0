/**
 * Schedules when this process next looks for due events. The delays themselves run on the server, by its clock: a look
 * runs a script that puts due events back into their queue and replies when the next one is due.
 */
export class Delays {
  readonly #look: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, by the monotonic clock. */
  #at = 0;
  #ended = false;

  /** @param look called when it is time to look */
  constructor(look: () => void) {
    this.#look = look;
  }

  /** Looks in so many milliseconds, unless a sooner look is set. */
  lookWithin(delay: number): void {
    if (this.#ended) return;
    const at = performance.now() + delay;
    if (this.#timer !== undefined) {
      if (this.#at <= at) return;
      clearTimeout(this.#timer);
    }
    this.#at = at;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#look();
      },
      Math.max(0, at - performance.now()),
    );
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
