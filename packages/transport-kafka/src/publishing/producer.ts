import { isPapaError, type PapaError } from "@papa-events/core";
import { Backoff } from "../client/backoff.ts";
import type { Cluster } from "../client/cluster.ts";
import { papaErrorOf } from "../client/errors.ts";
import type { TopicSpec, Topology } from "../declarations/topology.ts";
import { KafkaError } from "../wire/kafka-error.ts";
import type { KafkaRecord, RecordBatch } from "../wire/records.ts";
import { partitionKey, type TopicPartition } from "../wire/topic-partition.ts";

/** Well below what the topics accept. A larger record gets a batch of its own. */
const MAX_BATCH_BYTES = 1_000_000;
/** An upper bound for the bytes of a record beyond its parts. */
const RECORD_OVERHEAD_BYTES = 64;

/** A record on its way to a topic. Without a partition it may go to any of them. */
export interface Outgoing {
  readonly topic: TopicSpec;
  readonly partition?: number | undefined;
  readonly record: KafkaRecord;
}

interface Queued {
  readonly outgoing: Outgoing;
  readonly resolve: () => void;
  readonly reject: (error: PapaError) => void;
}

interface Chunk extends TopicPartition {
  readonly indexes: number[];
  readonly records: KafkaRecord[];
  bytes: number;
}

/**
 * Stores records and reports each one that all in-sync replicas have not confirmed. It chooses the partitions itself and
 * looks for each of them in the response, because kafkajs's producer counts batches as stored whose partition has moved.
 */
export class Producer {
  readonly #cluster: Cluster;
  readonly #topology: Topology;
  readonly #turns = new Map<string, number>();
  #queue: Queued[] = [];

  constructor(cluster: Cluster, topology: Topology) {
    this.#cluster = cluster;
    this.#topology = topology;
  }

  /** Resolves when a record is stored. Records of one turn of the event loop are sent together. @throws PapaError */
  storeOne(outgoing: Outgoing): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ outgoing, resolve, reject });
      if (this.#queue.length === 1) setImmediate(() => void this.#flush());
    });
  }

  /**
   * Retries until a record is stored, and resolves to `true`. Resolves to `false` once `abandoned` says that nobody waits
   * for it any more.
   *
   * @throws PapaError what the broker refuses permanently
   */
  async storeUntil(outgoing: Outgoing, abandoned: () => boolean): Promise<boolean> {
    const backoff = new Backoff();
    for (;;) {
      try {
        await this.storeOne(outgoing);
        return true;
      } catch (error) {
        if (abandoned()) return false;
        if (!isPapaError(error) || !error.retryable) throw error;
        await backoff.pause();
        if (abandoned()) return false;
      }
    }
  }

  /** Resolves to each record's error, `undefined` for those that are stored. Never rejects. */
  async store(all: readonly Outgoing[]): Promise<(PapaError | undefined)[]> {
    const problems: (PapaError | undefined)[] = all.map(() => undefined);
    const fail = (indexes: readonly number[], error: unknown) => {
      for (const index of indexes) problems[index] = papaErrorOf(error, this.#cluster.address);
    };
    try {
      await this.#topology.ensure([...new Map(all.map(({ topic }) => [topic.topic, topic])).values()]);
      const chunks = await this.#chunks(all);
      const rounds = inRounds(chunks);
      await Promise.all(rounds.map((round) => this.#send(round, fail)));
    } catch (error) {
      fail([...all.keys()], error);
    }
    return problems;
  }

  async #flush(): Promise<void> {
    const queue = this.#queue;
    this.#queue = [];
    const problems = await this.store(queue.map(({ outgoing }) => outgoing));
    for (const [index, { resolve, reject }] of queue.entries()) {
      const problem = problems[index];
      if (problem === undefined) resolve();
      else reject(problem);
    }
  }

  /** Divides records into batches of limited size, each for one partition. */
  async #chunks(all: readonly Outgoing[]): Promise<Chunk[]> {
    const chunks: Chunk[] = [];
    const open = new Map<string, Chunk>();
    const metadata = await this.#cluster.topics([...new Set(all.map(({ topic }) => topic.topic))]);
    for (const [index, { topic: spec, partition, record }] of all.entries()) {
      const { topic } = spec;
      const bytes = sizeOf(record);
      const key = partition === undefined ? topic : partitionKey({ topic, partition });
      let chunk = open.get(key);
      if (chunk === undefined || chunk.bytes + bytes > MAX_BATCH_BYTES) {
        const partitions = metadata.get(topic)?.partitions ?? [];
        chunk = {
          topic,
          partition: partition ?? this.#nextPartition(topic, partitions),
          indexes: [],
          records: [],
          bytes: 0,
        };
        open.set(key, chunk);
        chunks.push(chunk);
      }
      chunk.indexes.push(index);
      chunk.records.push(record);
      chunk.bytes += bytes;
    }
    return chunks;
  }

  /** Takes the partitions in turn, skipping those without a leader. */
  #nextPartition(topic: string, partitions: readonly { partition: number; leader: number }[]): number {
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
      const byPartition = new Map(results.map((result) => [partitionKey(result), result]));
      for (const { topic, partition, indexes } of chunks) {
        const result = byPartition.get(partitionKey({ topic, partition }));
        const error =
          result === undefined
            ? new KafkaError("UNCONFIRMED", `The response does not mention ${topic} [${partition}].`, true)
            : result.error;
        if (error === undefined) continue;
        this.#invalidate(topic, error);
        fail(indexes, error);
      }
    } catch (error) {
      for (const { topic, indexes } of chunks) {
        this.#invalidate(topic, error);
        fail(indexes, error);
      }
    }
  }

  #invalidate(topic: string, error: unknown): void {
    this.#cluster.invalidate(topic, error);
    if (error instanceof KafkaError && error.type === "UNKNOWN_TOPIC_OR_PARTITION") this.#topology.forget(topic);
    if (!isPapaError(error)) this.#cluster.logger.debug({ err: error, topic }, "Kafka did not store some records.");
  }
}

/** Divides batches among requests, because a request may hold only one batch for each partition. */
function inRounds(chunks: readonly Chunk[]): Chunk[][] {
  const rounds: { chunks: Chunk[]; partitions: Set<string> }[] = [];
  for (const chunk of chunks) {
    const key = partitionKey(chunk);
    let round = rounds.find(({ partitions }) => !partitions.has(key));
    if (round === undefined) rounds.push((round = { chunks: [], partitions: new Set() }));
    round.chunks.push(chunk);
    round.partitions.add(key);
  }
  return rounds.map(({ chunks: list }) => list);
}

function sizeOf({ key, value, headers }: KafkaRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const name in headers) {
    const text = headers[name];
    // One UTF-16 code unit becomes at most three bytes of UTF-8.
    bytes += name.length + 4 + (typeof text === "string" ? text.length * 3 : 16);
  }
  return bytes;
}
