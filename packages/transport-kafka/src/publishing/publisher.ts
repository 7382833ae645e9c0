import type { PapaError } from "@papa-events/core";
import type { EncodedEvent, Unconfirmed } from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import type { Topology } from "../declarations/topology.ts";
import { recordOf } from "../wire/event-record.ts";
import { firstWord } from "../wire/names.ts";
import type { KafkaRecord } from "../wire/records.ts";
import type { Outgoing, Producer } from "./producer.ts";

/** Publishes events to the topics of their names, or back to one use case. */
export class Publisher {
  readonly #cluster: Cluster;
  readonly #topology: Topology;
  readonly #producer: Producer;

  constructor(cluster: Cluster, topology: Topology, producer: Producer) {
    this.#cluster = cluster;
    this.#topology = topology;
    this.#producer = producer;
  }

  /** Publishes events to everyone; resolves to those that are not confirmed. */
  async publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    const problems = await this.#producer.store(events.map((event) => this.#outgoing(event)));
    return problems.flatMap((error, index) => (error === undefined ? [] : [{ index, error }]));
  }

  /** Publishes a handler's outputs, retrying as {@link Producer.storeUntil} does; resolves to whether all are stored. */
  async publishUntil(events: readonly EncodedEvent[], abandoned: () => boolean): Promise<boolean> {
    const stored = await Promise.all(
      events.map((event) => this.#producer.storeUntil(this.#outgoing(event), abandoned)),
    );
    return stored.every((each) => each);
  }

  /** Sends records back to one use case each; resolves to each record's error, `undefined` for those that are stored. */
  requeue(
    records: readonly { readonly useCase: string; readonly record: KafkaRecord }[],
  ): Promise<(PapaError | undefined)[]> {
    return this.#producer.store(
      records.map(({ useCase, record }) => ({ topic: this.#topology.ready(useCase), record })),
    );
  }

  #outgoing(event: EncodedEvent): Outgoing {
    const topic = this.#topology.events(this.#cluster.names.events(firstWord(event.name)));
    return { topic, record: recordOf(event) };
  }
}
