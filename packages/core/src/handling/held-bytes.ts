/**
 * Bounds what an app holds in bytes (H9): half for what it has read ahead, half for what it has handled and the broker has
 * not stored yet, outputs included. Where the second half is full, no handler is called until something has been stored.
 */
export class HeldBytes {
  /** How many bytes one use case may read ahead. */
  readonly readAhead: number;
  readonly #maxSettling: number;
  readonly #onRoom: () => void;
  #settling = 0;

  /** @param useCases how many share what may be read ahead */
  constructor(maxHeldBytes: number, useCases: number, onRoom: () => void) {
    this.readAhead = maxHeldBytes / 2 / Math.max(1, useCases);
    this.#maxSettling = maxHeldBytes / 2;
    this.#onRoom = onRoom;
  }

  /** Whether a handler may be called. */
  get hasRoom(): boolean {
    return this.#settling < this.#maxSettling;
  }

  settling(bytes: number): void {
    this.#settling += bytes;
  }

  settled(bytes: number): void {
    const hadRoom = this.hasRoom;
    this.#settling -= bytes;
    if (!hadRoom && this.hasRoom) this.#onRoom();
  }
}
