import type { Queue } from "./queue.ts";

/** How many bytes one connection has been handed and has not settled (H9). */
export class Held {
  readonly #maxBytes: number;
  #bytes = 0;
  /** Queues whose next event found no room. */
  readonly #refused = new Set<Queue>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether there is room for an event; one that is larger than all of it is taken alone. */
  hasRoomFor(bytes: number, queue: Queue): boolean {
    if (this.#bytes === 0 || this.#bytes + bytes <= this.#maxBytes) return true;
    this.#refused.add(queue);
    return false;
  }

  take(bytes: number): void {
    this.#bytes += bytes;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#refused.size === 0) return;
    const refused = [...this.#refused];
    this.#refused.clear();
    for (const queue of refused) queue.wake();
  }
}
