import type { EncodedEvent, OnDelivery, Settlement, Subscription } from "@papa-events/core/transport";
import type { Message } from "./message.ts";
import type { Queue } from "./queue.ts";

const STORED = Promise.resolve();

/** Stores a settlement's outputs; told by the connection, which may be gone. */
export type PublishOutputs = (events: readonly EncodedEvent[]) => void;

/** One app's consumption of one queue. */
export class Subscriber implements Subscription {
  readonly #queue: Queue;
  readonly #onDelivery: OnDelivery;
  readonly #publish: PublishOutputs;
  /** In no order: a settled one's place is taken by the last. */
  readonly #unsettled: Message[] = [];
  #readAhead: number;
  #open = true;

  constructor(queue: Queue, readAhead: number, onDelivery: OnDelivery, publish: PublishOutputs) {
    this.#queue = queue;
    this.#readAhead = readAhead;
    this.#onDelivery = onDelivery;
    this.#publish = publish;
    queue.subscribe(this);
  }

  /** Whether it takes one more. */
  get free(): boolean {
    return this.#open && this.#unsettled.length < this.#readAhead;
  }

  deliver(message: Message): void {
    message.handTo(this, this.#unsettled.length);
    this.#unsettled.push(message);
    this.#onDelivery(message);
  }

  settle(message: Message, settlement: Settlement): void {
    // No longer this subscriber's: it was taken back, and is a new message by now.
    if (this.#unsettled[message.place] !== message) return;
    const last = this.#unsettled.pop();
    if (last !== undefined && last !== message) {
      this.#unsettled[message.place] = last;
      last.place = message.place;
    }
    if (settlement.kind === "done" && settlement.outputs.length > 0) this.#publish(settlement.outputs);
    this.#queue.settle(message, settlement);
  }

  readAhead(limit: number): void {
    this.#readAhead = limit;
    this.#queue.wake();
  }

  stop(): Promise<void> {
    this.#open = false;
    this.#queue.unsubscribe(this);
    return STORED;
  }

  /** Goes on after {@link giveBack}. */
  resume(): void {
    if (!this.#open) return;
    this.#queue.unsubscribe(this);
    this.#queue.subscribe(this);
  }

  /** Loses its claim to what it has not settled. */
  giveBack(crashed: boolean): void {
    this.#queue.unsubscribe(this);
    this.#queue.giveBack(this.#unsettled.splice(0), crashed);
  }
}
