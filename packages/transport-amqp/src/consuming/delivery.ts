import type { Delivery, ReceivedEvent, Settlement } from "@papa-events/core/transport";
import type { ReceivedMessage } from "../wire/received-message.ts";

/** Settles the deliveries of one channel. */
export interface DeliveryOwner {
  settle(tag: number, settlement: Settlement): Promise<void>;
}

/** Hands a message to the core. It belongs to the channel that delivered it, and ends with it. */
export class AmqpDelivery implements Delivery {
  readonly event: ReceivedEvent;
  readonly attempt: number;
  readonly crashes: number;
  readonly #tag: number;
  readonly #owner: DeliveryOwner;

  constructor(message: ReceivedMessage, tag: number, owner: DeliveryOwner) {
    this.event = message.event;
    this.attempt = message.attempt;
    this.crashes = message.crashes;
    this.#tag = tag;
    this.#owner = owner;
  }

  settle(settlement: Settlement): Promise<void> {
    return this.#owner.settle(this.#tag, settlement);
  }
}
