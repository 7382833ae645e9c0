import { isPapaError, type PapaError } from "@papa-events/core";
import type { EncodedEvent, Unconfirmed } from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import type { KafkaRecord } from "../client/kafka-client.ts";
import { Backoff } from "../client/time-limit.ts";
import type { Topics, Wanted } from "../declarations/topology.ts";
import { bucketOf, DELAY_PARTITIONS, encodeWaiting } from "../waiting/delays.ts";
import { firstWord } from "../wire/names.ts";
import type { Outgoing, Producer } from "./producer.ts";

/** Where events go: their topics, back to a use case at once or later, or among its dead letters. */
export class Storage {
  readonly #cluster: Cluster;
  readonly #topics: Topics;
  readonly #producer: Producer;

  constructor(cluster: Cluster, topics: Topics, producer: Producer) {
    this.#cluster = cluster;
    this.#topics = topics;
    this.#producer = producer;
  }

  get delays(): Wanted {
    return { topic: this.#cluster.names.delays, kind: "kept", partitions: DELAY_PARTITIONS };
  }

  /** Of several partitions, so that what one instance hands on is not handed to itself for ever (R6). */
  ready(useCase: string): Wanted {
    const { names, target } = this.#cluster;
    return { topic: names.ready(useCase), kind: "kept", partitions: target.partitions };
  }

  dead(useCase: string): Wanted {
    return { topic: this.#cluster.names.dead(useCase), kind: "compacted", partitions: 1 };
  }

  /** Stores events for whoever wants them; resolves to those that are not known to be stored. */
  async publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    const problems = await this.#producer.store(events.map((event) => this.#outgoing(event)));
    return problems.flatMap((error, index) => (error === undefined ? [] : [{ index, error }]));
  }

  /**
   * Stores a handler's outputs. This and the next two resolve to whether all is stored; it is not when `givenUp` says that
   * nobody waits for it any more.
   *
   * @throws PapaError what the broker refuses for good
   */
  async outputs(events: readonly EncodedEvent[], givenUp: () => boolean): Promise<boolean> {
    const stored = await Promise.all(events.map((event) => this.#stored(this.#outgoing(event), givenUp)));
    return stored.every((each) => each);
  }

  /** Has an event wait, and come back to its use case. @throws PapaError */
  delay(useCase: string, delay: number, event: EncodedEvent, givenUp: () => boolean): Promise<boolean> {
    const record = { ...recordOf(event), key: encodeWaiting({ useCase, delay }) };
    return this.#stored({ topic: this.delays, partition: bucketOf(delay), record }, givenUp);
  }

  /** Keeps an event as a dead letter. @throws PapaError */
  bury(useCase: string, id: string, event: EncodedEvent, givenUp: () => boolean): Promise<boolean> {
    const record = { ...recordOf(event), key: id };
    return this.#stored({ topic: this.dead(useCase), partition: 0, record }, givenUp);
  }

  /** Puts records back to a use case; resolves to what went wrong with each. */
  putBack(
    records: readonly { readonly useCase: string; readonly record: KafkaRecord }[],
  ): Promise<(PapaError | undefined)[]> {
    return this.#producer.store(records.map(({ useCase, record }) => ({ topic: this.ready(useCase), record })));
  }

  #outgoing(event: EncodedEvent): Outgoing {
    const topic = this.#topics.events(this.#cluster.names.events(firstWord(event.name)));
    return { topic, record: recordOf(event) };
  }

  /** Tries until it is stored, or nobody waits for it any more. */
  async #stored(outgoing: Outgoing, givenUp: () => boolean): Promise<boolean> {
    const backoff = new Backoff();
    for (;;) {
      try {
        await this.#producer.storeOne(outgoing);
        return true;
      } catch (error) {
        if (givenUp()) return false;
        if (!isPapaError(error) || !error.retryable) throw error;
        await backoff.pause();
        if (givenUp()) return false;
      }
    }
  }
}

/** An event as a record: its body and its headers, as they are. */
export function recordOf({ headers, body }: EncodedEvent): KafkaRecord {
  return { key: null, value: body, headers };
}
