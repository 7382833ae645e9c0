/** Waits for room. */
export interface RoomWaiter {
  onRoom(): void;
}

/** How many bytes one connection has handed out and not settled, all use cases together (H9). */
export class HeldBytes {
  readonly #maxBytes: number;
  #bytes = 0;
  readonly #waiting = new Set<RoomWaiter>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many more bytes may be handed out. */
  get room(): number {
    return Math.max(0, this.#maxBytes - this.#bytes);
  }

  /** Whether an event may be handed out; one that is larger than all of it is handed out alone. If not, `waiter` is notified later. */
  hasRoomFor(bytes: number, waiter: RoomWaiter): boolean {
    if (this.#bytes === 0 || this.#bytes + bytes <= this.#maxBytes) return true;
    this.#waiting.add(waiter);
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
    for (const waiter of waiting) waiter.onRoom();
  }
}
