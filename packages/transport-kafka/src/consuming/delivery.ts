import type { Delivery, ReceivedEvent, Settlement } from "@papa-events/core/transport";
import { attemptOf, eventOf, nameOf } from "../wire/event-record.ts";
import type { Entry } from "./partition-log.ts";

/** Settles deliveries; the use case's subscriber. */
export interface Settler {
  settle(entry: Entry, settlement: Settlement): Promise<void>;
}

/** Hands a record to the core as a delivery. */
export class KafkaDelivery implements Delivery {
  readonly event: ReceivedEvent;
  readonly attempt: number;
  /** Kafka keeps no delivery count for an offset. */
  readonly crashes = 0;
  readonly #entry: Entry;
  readonly #settler: Settler;

  constructor(entry: Entry, settler: Settler, topicName: string | undefined) {
    const { record, log } = entry;
    const { topic, partition } = log.source;
    this.event = eventOf(record, nameOf(record, topicName), `${topic}-${partition}`);
    this.attempt = attemptOf(record);
    this.#entry = entry;
    this.#settler = settler;
  }

  settle(settlement: Settlement): Promise<void> {
    return this.#settler.settle(this.#entry, settlement);
  }
}
