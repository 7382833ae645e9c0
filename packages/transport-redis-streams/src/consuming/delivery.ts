import type { Delivery, ReceivedEvent, Settlement } from "@papa-events/core/transport";
import { readForeignEvent } from "../wire/foreign-event.ts";
import { EVENT_FIELD } from "../wire/keys.ts";
import { PackedEvent } from "../wire/packed-event.ts";

/** Settles the deliveries of one consumer. */
export interface DeliveryOwner {
  settle(delivery: StreamDelivery, settlement: Settlement): Promise<void>;
}

/** A stream entry delivered to the core. It belongs to the consumer that read it. */
export class StreamDelivery implements Delivery {
  readonly event: ReceivedEvent;
  readonly attempt: number;
  readonly crashes: number;
  /** The entry's id. */
  readonly entry: string;
  readonly owner: DeliveryOwner;
  /** Its index in the owner's list of held deliveries. */
  index = -1;

  constructor(entry: string, fields: readonly Buffer[], crashes: number, owner: DeliveryOwner) {
    const [field, packed] = fields;
    const own = packed !== undefined && field?.length === 1 && field[0] === EVENT_FIELD.charCodeAt(0);
    const event = own ? new PackedEvent(packed) : readForeignEvent(entry, fields);
    this.event = event;
    this.attempt = event instanceof PackedEvent ? event.attempt : 1;
    this.crashes = crashes;
    this.entry = entry;
    this.owner = owner;
  }

  settle(settlement: Settlement): Promise<void> {
    return this.owner.settle(this, settlement);
  }
}
