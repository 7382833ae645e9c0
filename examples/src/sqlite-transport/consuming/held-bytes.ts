/** Bounds the bytes that one connection has taken and not settled (H9). */
export class HeldBytes {
  readonly #max: number;
  #held = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Whether there is room for one more, with which so many bytes are about to be taken; one that is too large goes alone. */
  hasRoomFor(bytes: number, alreadyTaken: number): boolean {
    return (this.#held === 0 && alreadyTaken === 0) || this.#held + bytes <= this.#max;
  }

  take(bytes: number): void {
    this.#held += bytes;
  }

  giveBack(bytes: number): void {
    this.#held -= bytes;
  }
}
