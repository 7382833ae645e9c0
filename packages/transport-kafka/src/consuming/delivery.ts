import type { Delivery, ReceivedEvent, Settled, Settlement } from "@papa-events/core/transport";
import { attemptOf, eventOf } from "../wire/event-record.ts";
import type { Entry } from "./partition-log.ts";

/** Settles deliveries; the use case's subscriber. */
export interface Settler {
  settle(entry: Entry, settlement: Settlement): Promise<Settled>;
  /** Whether an entry is somebody else's by now. Where it is, whoever asked does not settle it any more. */
  isLost(entry: Entry): boolean;
}

/** Hands a record to the core as a delivery. */
export class KafkaDelivery implements Delivery {
  readonly event: ReceivedEvent;
  readonly attempt: number;
  readonly redeliveries: number;
  readonly #entry: Entry;
  readonly #settler: Settler;

  constructor(entry: Entry, settler: Settler, name: string) {
    const { record, log } = entry;
    this.event = eventOf(record, name, log.source);
    this.attempt = attemptOf(record);
    this.redeliveries = log.redeliveriesOf(record.offset);
    this.#entry = entry;
    this.#settler = settler;
  }

  get lost(): boolean {
    return this.#settler.isLost(this.#entry);
  }

  settle(settlement: Settlement): Promise<Settled> {
    return this.#settler.settle(this.#entry, settlement);
  }
}
