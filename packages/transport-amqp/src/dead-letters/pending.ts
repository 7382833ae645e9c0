/** How much may be under way at once. */
const MAX_PENDING_BYTES = 32 * 1_048_576;
const MAX_PENDING = 1_000;

/** Bounds what is under way to the broker. */
export class Pending {
  #count = 0;
  #bytes = 0;
  #onRoom: () => void = () => {};

  /** Counts an action until it has settled. Never rejects. */
  async during(bytes: number, action: () => Promise<void>): Promise<void> {
    this.#count += 1;
    this.#bytes += bytes;
    await action().catch(() => {});
    this.#count -= 1;
    this.#bytes -= bytes;
    this.#onRoom();
  }

  /** Resolves when no more than a part of what may be under way is. To be called by one at a time. */
  async room(part: number): Promise<void> {
    while (this.#count > MAX_PENDING * part || this.#bytes > MAX_PENDING_BYTES * part)
      await new Promise<void>((resolve) => {
        this.#onRoom = resolve;
      });
  }
}
