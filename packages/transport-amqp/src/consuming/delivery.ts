import type { Delivery, ReceivedEvent, Settlement } from "@papa-events/core/transport";
import type { Arrival } from "../wire/received-message.ts";

/** Settles deliveries of one channel. */
export interface DeliveryOwner {
  settle(tag: number, settlement: Settlement): Promise<void>;
}

/** A message handed to the core. It belongs to the channel that delivered it and ends with it. */
export class AmqpDelivery implements Delivery {
  readonly event: ReceivedEvent;
  readonly attempt: number;
  readonly crashes: number;
  readonly #tag: number;
  readonly #owner: DeliveryOwner;

  constructor(arrival: Arrival, tag: number, owner: DeliveryOwner) {
    this.event = arrival.event;
    this.attempt = arrival.attempt;
    this.crashes = arrival.crashes;
    this.#tag = tag;
    this.#owner = owner;
  }

  settle(settlement: Settlement): Promise<void> {
    return this.#owner.settle(this.#tag, settlement);
  }
}
