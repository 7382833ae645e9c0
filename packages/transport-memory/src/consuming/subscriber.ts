import {
  type EncodedEvent,
  type OnDelivery,
  type Settlement,
  type SubscribeOptions,
  type Subscription,
  sizeOf,
} from "@papa-events/core/transport";
import type { Held } from "./held.ts";
import type { Message } from "./message.ts";
import type { Queue } from "./queue.ts";

/** Stores a settlement's outputs. */
export type PublishOutputs = (events: readonly EncodedEvent[]) => void;

/** One app's consumption of one queue. */
export class Subscriber implements Subscription {
  /** The id of the app's declaration, for events that are forwarded to it. */
  readonly declaration: string;
  readonly #queue: Queue;
  readonly #held: Held;
  readonly #onDelivery: OnDelivery;
  readonly #publish: PublishOutputs;
  /** In no order: a settled one's place is taken by the last. */
  readonly #unsettled: Message[] = [];
  #readAhead: number;
  #open = true;

  constructor(
    queue: Queue,
    { readAhead, declaration }: SubscribeOptions,
    held: Held,
    onDelivery: OnDelivery,
    publish: PublishOutputs,
  ) {
    this.declaration = declaration;
    this.#queue = queue;
    this.#readAhead = readAhead;
    this.#held = held;
    this.#onDelivery = onDelivery;
    this.#publish = publish;
    queue.subscribe(this);
  }

  /** Whether it is of this queue. */
  isOf(queue: Queue): boolean {
    return this.#queue === queue;
  }

  /** Whether it has been stopped and all that it had is settled. */
  get isOver(): boolean {
    return !this.#open && this.#unsettled.length === 0;
  }

  /** Whether it takes one more. */
  takes(message: Message): boolean {
    if (!this.#open || this.#unsettled.length >= this.#readAhead) return false;
    return this.#held.hasRoomFor(sizeOf(message.event), this.#queue);
  }

  /** Whether a message is still its own. */
  has(message: Message): boolean {
    return this.#unsettled[message.index] === message;
  }

  deliver(message: Message): void {
    message.handTo(this, this.#unsettled.length);
    this.#unsettled.push(message);
    this.#held.take(sizeOf(message.event));
    this.#onDelivery(message);
  }

  /** Whether it could be settled: one that was taken back is a new message by now. */
  settle(message: Message, settlement: Settlement): boolean {
    if (!this.has(message)) return false;
    const last = this.#unsettled.pop();
    if (last !== undefined && last !== message) {
      this.#unsettled[message.index] = last;
      last.index = message.index;
    }
    this.#held.giveBack(sizeOf(message.event));
    if (settlement.kind === "done" && settlement.outputs.length > 0) this.#publish(settlement.outputs);
    this.#queue.settle(message, settlement);
    return true;
  }

  readAhead(limit: number): void {
    this.#readAhead = limit;
    this.#queue.wake();
  }

  async stop(): Promise<void> {
    this.#open = false;
    this.#queue.unsubscribe(this);
  }

  /** Goes on after {@link giveBack}. */
  resume(): void {
    if (!this.#open) return;
    this.#queue.unsubscribe(this);
    this.#queue.subscribe(this);
  }

  /** Loses its claim to what it has not settled. */
  giveBack(unexplained: boolean): void {
    this.#queue.unsubscribe(this);
    const messages = this.#unsettled.splice(0);
    for (const { event } of messages) this.#held.giveBack(sizeOf(event));
    this.#queue.giveBack(messages, unexplained);
  }
}
