import type { EncodedEvent } from "@papa-events/core/transport";
import type { Topology } from "../declarations/topology.ts";
import type { Producer } from "../publishing/producer.ts";
import { delayPartition, encodeDelay } from "../wire/delay-record.ts";
import { recordOf } from "../wire/event-record.ts";

/** Stores events that wait for their retry in the delay topic, from where the releaser brings them back. */
export class Delays {
  readonly #topology: Topology;
  readonly #producer: Producer;

  constructor(topology: Topology, producer: Producer) {
    this.#topology = topology;
    this.#producer = producer;
  }

  /** Delays an event for one use case, retrying as {@link Producer.storeUntil} does. @throws PapaError */
  storeUntil(useCase: string, delay: number, event: EncodedEvent, abandoned: () => boolean): Promise<boolean> {
    const record = { ...recordOf(event), key: encodeDelay({ useCase, delay }) };
    const outgoing = { topic: this.#topology.delays, partition: delayPartition(delay), record };
    return this.#producer.storeUntil(outgoing, abandoned);
  }
}
