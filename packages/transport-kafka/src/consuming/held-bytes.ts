/** Bounds how many bytes one connection has handed out and not settled, all use cases together (H9). */
export class HeldBytes {
  readonly max: number;
  #bytes = 0;
  /** Whoever found no room. */
  readonly #waiting = new Set<() => void>();

  constructor(max: number) {
    this.max = max;
  }

  /** Whether there is room for an event; one that is larger than all of it goes alone. Else `onRoom` is called when there may be. */
  hasRoomFor(bytes: number, onRoom: () => void): boolean {
    if (this.#bytes === 0 || this.#bytes + bytes <= this.max) return true;
    this.#waiting.add(onRoom);
    return false;
  }

  take(bytes: number): void {
    this.#bytes += bytes;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const onRoom of waiting) onRoom();
  }
}
