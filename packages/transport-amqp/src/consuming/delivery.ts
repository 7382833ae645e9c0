import type { Delivery, ReceivedEvent, Settled, Settlement } from "@papa-events/core/transport";
import type { ReceivedMessage } from "../wire/received-message.ts";

/** Settles the deliveries of one channel. */
export interface DeliveryOwner {
  /** Whether the channel is open. */
  readonly alive: boolean;
  settle(delivery: AmqpDelivery, settlement: Settlement): Promise<Settled>;
}

/** Hands a message to the core. It belongs to the channel that delivered it, and ends with it. */
export class AmqpDelivery implements Delivery {
  readonly received: ReceivedMessage;
  readonly redeliveries: number;
  /** Where its owner keeps it while the core has it. */
  index = -1;
  readonly #owner: DeliveryOwner;
  #onLost: ((why: string) => void) | undefined;

  /** @param explained how many of its returns are explained */
  constructor(received: ReceivedMessage, owner: DeliveryOwner, explained = 0) {
    this.received = received;
    this.redeliveries = Math.max(0, received.redeliveries - explained);
    this.#owner = owner;
  }

  get event(): ReceivedEvent {
    return this.received.event;
  }

  get attempt(): number {
    return this.received.attempt;
  }

  get lost(): boolean {
    return !this.#owner.alive;
  }

  onLost(listener: (why: string) => void): void {
    this.#onLost = listener;
    if (this.lost) this.tellLost("its channel was closed");
  }

  /** To be called when its channel has ended. */
  tellLost(why: string): void {
    this.#onLost?.(why);
    this.#onLost = undefined;
  }

  /** Names the delivery on its channel. */
  get tag(): number {
    return this.received.message.fields.deliveryTag;
  }

  settle(settlement: Settlement): Promise<Settled> {
    return this.#owner.settle(this, settlement);
  }
}
