import type { Delivery, ReceivedEvent, Settled, Settlement } from "@papa-events/core/transport";
import { readForeignEvent } from "../wire/foreign-event.ts";
import { EVENT_FIELD } from "../wire/keys.ts";
import { PackedEvent } from "../wire/packed-event.ts";

/** Settles deliveries. */
export interface DeliverySettler {
  settle(delivery: StreamDelivery, settlement: Settlement): Promise<Settled>;
}

/** An entry that the server has delivered to a consumer of this process. */
export interface ReceivedEntry {
  /** The consumer. */
  readonly consumer: string;
  /** The entry's id. */
  readonly entry: string;
  readonly fields: readonly Buffer[];
  readonly redeliveries: number;
}

/** A stream entry delivered to the core. */
export class StreamDelivery implements Delivery {
  readonly event: ReceivedEvent;
  readonly attempt: number;
  readonly redeliveries: number;
  /** The entry's id. */
  readonly entry: string;
  /** The consumer that it was delivered to; another one may have adopted it since. */
  readonly consumer: string;
  readonly bytes: number;
  /** Its index in the ledger, or -1: it is settled or no longer this process's. */
  index = -1;
  /** Whether it counts for what is handed out to the core. */
  handedOut = false;
  /** Whether a settlement was sent whose outcome is not known. */
  uncertain = false;
  readonly #settler: DeliverySettler;

  constructor({ consumer, entry, fields, redeliveries }: ReceivedEntry, settler: DeliverySettler) {
    const [field, packed] = fields;
    const own = packed !== undefined && field?.length === 1 && field[0] === EVENT_FIELD.charCodeAt(0);
    const event = own ? new PackedEvent(packed) : readForeignEvent(entry, fields);
    this.event = event;
    this.attempt = event instanceof PackedEvent ? event.attempt : 1;
    this.redeliveries = redeliveries;
    this.entry = entry;
    this.consumer = consumer;
    this.bytes = own ? packed.length : fields.reduce((sum, { length }) => sum + length, 0);
    this.#settler = settler;
  }

  get lost(): boolean {
    return this.index === -1;
  }

  settle(settlement: Settlement): Promise<Settled> {
    return this.#settler.settle(this, settlement);
  }
}
