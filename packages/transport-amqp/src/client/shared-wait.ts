/** Lets many wait for the same. Who has stopped waiting leaves nothing behind, however long it takes to come. */
export class SharedWait {
  readonly #wait: () => Promise<unknown>;
  readonly #waiting = new Set<(came: boolean) => void>();
  #underway = false;

  /** @param wait resolves when it has come; not called again before that */
  constructor(wait: () => Promise<unknown>) {
    this.#wait = wait;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Resolves to whether it comes within so many milliseconds. Never rejects. */
  within(milliseconds: number): Promise<boolean> {
    const waited = new Promise<boolean>((resolve) => {
      const end = (came: boolean) => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        resolve(came);
      };
      const timer = setTimeout(() => end(false), milliseconds);
      this.#waiting.add(end);
    });
    if (!this.#underway) void this.#begin();
    return waited;
  }

  async #begin(): Promise<void> {
    this.#underway = true;
    const came = await this.#wait().then(
      () => true,
      () => false,
    );
    this.#underway = false;
    for (const end of [...this.#waiting]) end(came);
  }
}
