import type { StreamDelivery } from "./delivery.ts";
import type { HeldBytes } from "./held-bytes.ts";

/**
 * The deliveries of one use case that this process has and whose settlement is not stored: what is handed out, and what was
 * read beyond that. The server has all of them pending for one consumer.
 */
export class Ledger {
  /** The consumer's name; a new one when its lease has ended. */
  consumer: string;
  readonly #held: HeldBytes;
  /** In no order: the last one fills the gap of a removed one. */
  readonly #deliveries: StreamDelivery[] = [];
  #handedOut = 0;

  constructor(consumer: string, held: HeldBytes) {
    this.consumer = consumer;
    this.#held = held;
  }

  get size(): number {
    return this.#deliveries.length;
  }

  /** How many of them are handed out. */
  get handedOut(): number {
    return this.#handedOut;
  }

  add(delivery: StreamDelivery): void {
    delivery.index = this.#deliveries.push(delivery) - 1;
    this.#held.receive(delivery.bytes);
  }

  handOut(delivery: StreamDelivery): void {
    delivery.handedOut = true;
    this.#handedOut += 1;
    this.#held.handOut(delivery.bytes);
  }

  /** Lets go of a delivery that is settled or lost. */
  remove(delivery: StreamDelivery): void {
    const { index } = delivery;
    if (index === -1) return;
    const last = this.#deliveries.pop();
    if (last !== undefined && last !== delivery) {
      this.#deliveries[index] = last;
      last.index = index;
    }
    delivery.index = -1;
    if (delivery.handedOut) this.#handedOut -= 1;
    this.#held.giveBack(delivery.bytes, delivery.handedOut);
  }

  /** Lets go of all. */
  clear(): void {
    for (const delivery of this.list()) this.remove(delivery);
  }

  list(): readonly StreamDelivery[] {
    return [...this.#deliveries];
  }
}
