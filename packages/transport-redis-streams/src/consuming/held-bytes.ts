/** Waits for room. */
export interface RoomWaiter {
  onRoom(): void;
}

/**
 * How many bytes of events one connection has and has not settled, all use cases together (H9). A read has no bound in
 * bytes, so it may bring more than there was room for: that is kept back until what is handed out leaves room.
 */
export class HeldBytes {
  #maxBytes: number;
  #received = 0;
  #handedOut = 0;
  #sharers = 0;
  readonly #waiting = new Set<RoomWaiter>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Changes how many bytes it may be at most; to be called before the first use case joins. */
  limit(maxBytes: number): void {
    this.#maxBytes = maxBytes;
  }

  /** Adds a use case to those that share what may be received. */
  join(): void {
    this.#sharers += 1;
  }

  /** Takes one away from them. */
  leave(waiter: RoomWaiter): void {
    this.#sharers -= 1;
    this.#waiting.delete(waiter);
  }

  /** How many more bytes one use case may receive. If there are none, `waiter` is notified when there are. */
  roomToReceive(waiter: RoomWaiter): number {
    const room = Math.max(0, this.#maxBytes - this.#received);
    if (room === 0) this.#waiting.add(waiter);
    return room / Math.max(1, this.#sharers);
  }

  /** Whether an event may be handed out; one that is larger than all of it is handed out alone. If not, `waiter` is notified later. */
  mayHandOut(bytes: number, waiter: RoomWaiter): boolean {
    if (this.#handedOut === 0 || this.#handedOut + bytes <= this.#maxBytes) return true;
    this.#waiting.add(waiter);
    return false;
  }

  receive(bytes: number): void {
    this.#received += bytes;
  }

  handOut(bytes: number): void {
    this.#handedOut += bytes;
  }

  /** To be called for an event that was received and is settled or lost. */
  giveBack(bytes: number, wasHandedOut: boolean): void {
    this.#received -= bytes;
    if (wasHandedOut) this.#handedOut -= bytes;
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const waiter of waiting) waiter.onRoom();
  }
}
