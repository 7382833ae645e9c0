/**
 * Times when to look for due events. The server holds waiting events by its own clock, and a look puts due ones back into
 * their queue; here is only when the next look takes place.
 */
export class Delays {
  readonly #look: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, by the monotonic clock. */
  #at = 0;
  #ended = false;

  /** @param look called when it is time; never twice for one timer */
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
