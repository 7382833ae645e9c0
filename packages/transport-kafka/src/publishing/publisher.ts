import type { PapaError } from "@papa-events/core";
import { type EncodedEvent, EventReader, HEADER, systemClock, type Unconfirmed } from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import type { EventTopics } from "../declarations/event-topics.ts";
import type { Topology } from "../declarations/topology.ts";
import { crc32c } from "../wire/crc32c.ts";
import { recordOf, withKey } from "../wire/event-record.ts";
import { firstWord } from "../wire/names.ts";
import type { KafkaRecord } from "../wire/records.ts";
import type { Outgoing, Producer } from "./producer.ts";

/** Publishes events to the topics of their names, or back to one use case. */
export class Publisher {
  readonly #cluster: Cluster;
  readonly #topology: Topology;
  readonly #topics: EventTopics;
  readonly #producer: Producer;
  /** Outputs of settlements that may not be complete. */
  readonly #stored = new WeakSet<EncodedEvent>();

  constructor(cluster: Cluster, topology: Topology, topics: EventTopics, producer: Producer) {
    this.#cluster = cluster;
    this.#topology = topology;
    this.#topics = topics;
    this.#producer = producer;
  }

  /** Publishes events to everyone; resolves to those that are not confirmed. */
  async publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    const problems = await this.#producer.store(events.map((event) => this.#outgoing(event)));
    return problems.flatMap((error, index) => (error === undefined ? [] : [{ index, error }]));
  }

  /**
   * Publishes a handler's outputs, retrying as {@link Producer.storeUntil} does; resolves to whether all are stored. Those that
   * are stored when this rejects are not stored again with the next try.
   *
   * @throws PapaError
   */
  async publishUntil(events: readonly EncodedEvent[], abandoned: () => boolean): Promise<boolean> {
    const results = await Promise.allSettled(
      events.map(async (event) => {
        if (this.#stored.has(event)) return true;
        const stored = await this.#producer.storeUntil(this.#outgoing(event), abandoned);
        if (stored && events.length > 1) this.#stored.add(event);
        return stored;
      }),
    );
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return results.every((result) => result.status === "fulfilled" && result.value);
  }

  /** Sends records back to one use case each; resolves to each record's error, `undefined` for those that are stored. */
  requeue(
    records: readonly { readonly useCase: string; readonly record: KafkaRecord }[],
  ): Promise<(PapaError | undefined)[]> {
    return this.#producer.store(
      records.map(({ useCase, record }) => {
        return { topic: this.#topology.ready(useCase), turn: turnOf(record), record: withKey(record) };
      }),
    );
  }

  #outgoing(event: EncodedEvent): Outgoing {
    const mapped = this.#topics.topicOf(event.name);
    const topic =
      mapped === undefined
        ? this.#topology.events(this.#cluster.names.events(firstWord(event.name)))
        : this.#topology.existing(mapped);
    return { topic, record: recordOf(event) };
  }
}

/** A forwarded event goes through all partitions, one after another, so that it soon meets an instance that accepts it (R6). */
function turnOf({ headers = {} }: KafkaRecord): number | undefined {
  const reader = new EventReader({ headers, body: NOTHING }, systemClock);
  const times = Number(reader.text(HEADER.forwarded) ?? Number.NaN);
  if (!Number.isSafeInteger(times) || times < 1) return undefined;
  const id = Buffer.from(reader.text(HEADER.id) ?? "");
  return crc32c(id, 0, id.length) + times;
}

const NOTHING = new Uint8Array();
