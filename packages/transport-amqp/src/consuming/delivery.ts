import type { Delivery, ReceivedEvent, Settled, Settlement } from "@papa-events/core/transport";
import type { ReceivedMessage } from "../wire/received-message.ts";

/** Settles the deliveries of one channel. */
export interface DeliveryOwner {
  /** Whether the channel is open. */
  readonly alive: boolean;
  settle(tag: number, settlement: Settlement): Promise<Settled>;
}

/** Hands a message to the core. It belongs to the channel that delivered it, and ends with it. */
export class AmqpDelivery implements Delivery {
  readonly event: ReceivedEvent;
  readonly attempt: number;
  readonly redeliveries: number;
  readonly #tag: number;
  readonly #owner: DeliveryOwner;

  constructor(message: ReceivedMessage, tag: number, owner: DeliveryOwner) {
    this.event = message.event;
    this.attempt = message.attempt;
    this.redeliveries = message.redeliveries;
    this.#tag = tag;
    this.#owner = owner;
  }

  get lost(): boolean {
    return !this.#owner.alive;
  }

  settle(settlement: Settlement): Promise<Settled> {
    return this.#owner.settle(this.#tag, settlement);
  }
}
