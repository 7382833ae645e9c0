import { isPapaError, type PapaError } from "@papa-events/core";
import type { Cluster } from "../client/cluster.ts";
import { papaErrorOf } from "../client/errors.ts";
import { KafkaError, type KafkaRecord, type Place, type RecordBatch } from "../client/kafka-client.ts";
import type { Topics, Wanted } from "../declarations/topology.ts";

/** The most bytes of one record batch, well below what the topics take; a larger record goes alone. */
const BATCH_BYTES = 1_000_000;
/** What a record costs beyond its parts, at most. */
const RECORD_BYTES = 64;

/** A record on its way to a topic; without a partition it goes to any. */
export interface Outgoing {
  readonly topic: Wanted;
  readonly partition?: number | undefined;
  readonly record: KafkaRecord;
}

interface Waiting {
  readonly outgoing: Outgoing;
  readonly resolve: () => void;
  readonly reject: (error: PapaError) => void;
}

interface Chunk extends Place {
  readonly indexes: number[];
  readonly records: KafkaRecord[];
  bytes: number;
}

/**
 * Stores records, each confirmed by all in-sync replicas or reported. The partition is chosen here and looked for in the
 * answer: kafkajs's own producer takes batches for stored whose partition has moved.
 */
export class Producer {
  readonly #cluster: Cluster;
  readonly #topics: Topics;
  readonly #turns = new Map<string, number>();
  #waiting: Waiting[] = [];

  constructor(cluster: Cluster, topics: Topics) {
    this.#cluster = cluster;
    this.#topics = topics;
  }

  /** Resolves when a record is stored; those of one turn of the loop go together. @throws PapaError */
  storeOne(outgoing: Outgoing): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ outgoing, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => void this.#flush());
    });
  }

  /** Resolves, never rejects, to what went wrong with each record; `undefined` for those that are stored. */
  async store(all: readonly Outgoing[]): Promise<(PapaError | undefined)[]> {
    const problems: (PapaError | undefined)[] = all.map(() => undefined);
    const fail = (indexes: readonly number[], error: unknown) => {
      for (const index of indexes) problems[index] = papaErrorOf(error, this.#cluster.address);
    };
    try {
      await this.#topics.ensure([...new Map(all.map(({ topic }) => [topic.topic, topic])).values()]);
      const chunks = await this.#chunks(all);
      const rounds = inRounds(chunks);
      await Promise.all(rounds.map((round) => this.#send(round, fail)));
    } catch (error) {
      fail([...all.keys()], error);
    }
    return problems;
  }

  async #flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    const problems = await this.store(waiting.map(({ outgoing }) => outgoing));
    for (const [index, { resolve, reject }] of waiting.entries()) {
      const problem = problems[index];
      if (problem === undefined) resolve();
      else reject(problem);
    }
  }

  /** Record batches of at most so many bytes, each for one partition. */
  async #chunks(all: readonly Outgoing[]): Promise<Chunk[]> {
    const chunks: Chunk[] = [];
    const open = new Map<string, Chunk>();
    const metadata = await this.#cluster.topics([...new Set(all.map(({ topic }) => topic.topic))]);
    for (const [index, { topic: wanted, partition, record }] of all.entries()) {
      const { topic } = wanted;
      const bytes = sizeOf(record);
      const key = partition === undefined ? topic : `${partition} ${topic}`;
      let chunk = open.get(key);
      if (chunk === undefined || chunk.bytes + bytes > BATCH_BYTES) {
        const partitions = metadata.get(topic)?.partitions ?? [];
        chunk = { topic, partition: partition ?? this.#turn(topic, partitions), indexes: [], records: [], bytes: 0 };
        open.set(key, chunk);
        chunks.push(chunk);
      }
      chunk.indexes.push(index);
      chunk.records.push(record);
      chunk.bytes += bytes;
    }
    return chunks;
  }

  /** The partitions in turn, those without a leader left out. */
  #turn(topic: string, partitions: readonly { partition: number; leader: number }[]): number {
    const led = partitions.filter(({ leader }) => leader >= 0);
    const turn = this.#turns.get(topic) ?? Math.floor(Math.random() * 1_000);
    this.#turns.set(topic, turn + 1);
    return led[turn % Math.max(led.length, 1)]?.partition ?? 0;
  }

  async #send(chunks: readonly Chunk[], fail: (indexes: readonly number[], error: unknown) => void): Promise<void> {
    const byNode = new Map<number, Chunk[]>();
    for (const chunk of chunks) {
      try {
        const node = await this.#cluster.leader(chunk);
        const list = byNode.get(node);
        if (list === undefined) byNode.set(node, [chunk]);
        else list.push(chunk);
      } catch (error) {
        fail(chunk.indexes, error);
      }
    }
    await Promise.all([...byNode].map(([node, list]) => this.#sendTo(node, list, fail)));
  }

  async #sendTo(
    node: number,
    chunks: readonly Chunk[],
    fail: (indexes: readonly number[], error: unknown) => void,
  ): Promise<void> {
    try {
      const batches: RecordBatch[] = chunks.map(({ topic, partition, records }) => ({ topic, partition, records }));
      const results = await this.#cluster.client.produce(node, batches);
      const byPlace = new Map(results.map((result) => [`${result.partition} ${result.topic}`, result]));
      for (const { topic, partition, indexes } of chunks) {
        const result = byPlace.get(`${partition} ${topic}`);
        const error =
          result === undefined
            ? new KafkaError("UNCONFIRMED", `The answer says nothing of ${topic} [${partition}].`, true)
            : result.error;
        if (error === undefined) continue;
        this.#doubt(topic, error);
        fail(indexes, error);
      }
    } catch (error) {
      for (const { topic, indexes } of chunks) {
        this.#doubt(topic, error);
        fail(indexes, error);
      }
    }
  }

  #doubt(topic: string, error: unknown): void {
    this.#cluster.doubt(topic, error);
    if (error instanceof KafkaError && error.type === "UNKNOWN_TOPIC_OR_PARTITION") this.#topics.forget(topic);
    if (!isPapaError(error)) this.#cluster.logger.debug({ error, topic }, "Kafka did not store some records.");
  }
}

/** One request may hold one batch per partition only. */
function inRounds(chunks: readonly Chunk[]): Chunk[][] {
  const rounds: { chunks: Chunk[]; places: Set<string> }[] = [];
  for (const chunk of chunks) {
    const place = `${chunk.partition} ${chunk.topic}`;
    let round = rounds.find(({ places }) => !places.has(place));
    if (round === undefined) rounds.push((round = { chunks: [], places: new Set() }));
    round.chunks.push(chunk);
    round.places.add(place);
  }
  return rounds.map(({ chunks: list }) => list);
}

function sizeOf({ key, value, headers }: KafkaRecord): number {
  let bytes = RECORD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const name in headers) {
    const text = headers[name];
    // UTF-16 to UTF-8 makes at most three bytes of one unit.
    bytes += name.length + 4 + (typeof text === "string" ? text.length * 3 : 16);
  }
  return bytes;
}
