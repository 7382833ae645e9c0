/**
 * Counts the workers that run in an app, and lets others wait until none does. A suspect of a crash loop is handled alone:
 * while it waits for that, no worker starts a handler (T6).
 */
export class RunningHandlers {
  /** Whether handlers may be started; `false` while one is to run alone. */
  open = true;
  readonly #onOpen: () => void;
  #running = 0;
  /** Workers whose handler has called `stop()`, which does not wait for them. */
  #stopping = 0;
  #waiting: { readonly most: () => number; readonly resolve: () => void }[] = [];

  constructor(onOpen: () => void) {
    this.#onOpen = onOpen;
  }

  started(): void {
    this.#running += 1;
  }

  ended(): void {
    this.#running -= 1;
    this.#check();
  }

  /** Notes that the handler of one worker waits for the app to stop, until the returned function is called. */
  waitsForStop(): () => void {
    this.#stopping += 1;
    this.#check();
    return () => {
      this.#stopping -= 1;
    };
  }

  /** Resolves when no worker runs. */
  none(): Promise<void> {
    return this.#atMost(() => 0);
  }

  /** Resolves when no worker runs but those whose handlers wait for the app to stop. */
  noneButStopping(): Promise<void> {
    return this.#atMost(() => this.#stopping);
  }

  /** Keeps workers from starting handlers until {@link letStart}. */
  keepFromStarting(): void {
    this.open = false;
  }

  letStart(): void {
    this.open = true;
    this.#onOpen();
  }

  #atMost(most: () => number): Promise<void> {
    if (this.#running <= most()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ most, resolve }));
  }

  #check(): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter(({ most, resolve }) => {
      if (this.#running > most()) return true;
      resolve();
      return false;
    });
  }
}
