import { isPapaError, type PapaError } from "@papa-events/core";
import { HEADER } from "@papa-events/core/transport";
import { Backoff } from "../client/backoff.ts";
import type { Cluster } from "../client/cluster.ts";
import { papaErrorOf, recordTooLarge } from "../client/errors.ts";
import type { TopicSpec, Topology } from "../declarations/topology.ts";
import { KafkaError } from "../wire/kafka-error.ts";
import type { KafkaRecord, RecordBatch } from "../wire/records.ts";
import { partitionKey, type TopicPartition } from "../wire/topic-partition.ts";

/** Well below what the topics accept. A larger record gets a batch of its own. */
const MAX_BATCH_BYTES = 1_000_000;
const MIN_BATCH_BYTES = 10_000;
/** What is published at once is spread over the partitions, so that several instances get some of it (R8). */
const MAX_BATCH_RECORDS = 250;
/** An upper bound for the bytes of a record beyond its parts. */
const RECORD_OVERHEAD_BYTES = 64;
/** How long a record is offered again that a cluster refuses for now, while it can be reached. */
const REFUSAL_PATIENCE_MS = 5_000;
/** For these a broker refuses a whole batch, although one of its records may be the reason. */
const TOO_LARGE = new Set(["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"]);
const REFUSED_TOGETHER = new Set([...TOO_LARGE, "INVALID_RECORD", "INVALID_TIMESTAMP"]);

/** A record on its way to a topic. Without a partition it may go to any of them. */
export interface Outgoing {
  readonly topic: TopicSpec;
  readonly partition?: number | undefined;
  /** Chooses the partition by this number in place of their turn: successive numbers reach all of them. */
  readonly turn?: number | undefined;
  readonly record: KafkaRecord;
}

interface Queued {
  readonly outgoing: Outgoing;
  readonly resolve: () => void;
  readonly reject: (error: PapaError) => void;
}

/** Notes that records are not stored. */
type Fail = (indexes: readonly number[], error: unknown) => void;

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
  /** The most bytes of a batch, by topic, where the topic accepts less than usual. */
  readonly #limits = new Map<string, number>();
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
   * Retries until a record is stored, and resolves to `true`; a cluster that is away is waited for. Resolves to `false` once
   * `abandoned` says that nobody waits for it any more.
   *
   * @throws PapaError what the cluster refuses for good, or, retryable, for some time already
   */
  async storeUntil(outgoing: Outgoing, abandoned: () => boolean): Promise<boolean> {
    const backoff = new Backoff();
    let since = performance.now();
    for (;;) {
      try {
        await this.storeOne(outgoing);
        return true;
      } catch (error) {
        if (abandoned()) return false;
        if (!isPapaError(error) || !error.retryable) throw error;
        if (!this.#cluster.reachable) since = performance.now();
        else if (performance.now() - since > REFUSAL_PATIENCE_MS) throw error;
        await backoff.pause();
        if (abandoned()) return false;
      }
    }
  }

  /** Resolves to each record's error, `undefined` for those that are stored. Never rejects. */
  async store(all: readonly Outgoing[]): Promise<(PapaError | undefined)[]> {
    const problems: (PapaError | undefined)[] = all.map(() => undefined);
    const fail: Fail = (indexes, error) => {
      for (const index of indexes) problems[index] = this.#problemOf(all[index], error);
    };
    try {
      const refused = await this.#ensure(new Map(all.map(({ topic }) => [topic.topic, topic])));
      const possible = [...all.entries()].filter(([index, { topic }]) => {
        const problem = refused.get(topic.topic);
        if (problem !== undefined) fail([index], problem);
        return problem === undefined;
      });
      const rounds = inRounds(await this.#chunks(possible));
      await Promise.all(rounds.map((round) => this.#send(round, fail)));
    } catch (error) {
      fail([...all.keys()], error);
    }
    return problems;
  }

  /** Makes missing topics; resolves to what is wrong with those that cannot be used, so that it is no other's problem. */
  async #ensure(specs: ReadonlyMap<string, TopicSpec>): Promise<ReadonlyMap<string, unknown>> {
    const refused = new Map<string, unknown>();
    try {
      await this.#topology.ensure([...specs.values()]);
    } catch (error) {
      if (specs.size === 1) return new Map([...specs.keys()].map((topic) => [topic, error]));
      for (const [topic, spec] of specs)
        await this.#topology.ensure([spec]).catch((problem: unknown) => refused.set(topic, problem));
    }
    return refused;
  }

  #problemOf(outgoing: Outgoing | undefined, error: unknown): PapaError {
    const tooLarge = error instanceof KafkaError && TOO_LARGE.has(error.type);
    if (!tooLarge || outgoing === undefined) return papaErrorOf(error, this.#cluster.address);
    const { topic, record } = outgoing;
    return recordTooLarge(topic.topic, nameOf(record), sizeOf(record), error);
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
  async #chunks(all: readonly (readonly [index: number, outgoing: Outgoing])[]): Promise<Chunk[]> {
    const chunks: Chunk[] = [];
    const open = new Map<string, Chunk>();
    const metadata = await this.#cluster.topics([...new Set(all.map(([, { topic }]) => topic.topic))]);
    for (const [index, { topic: spec, partition, turn, record }] of all) {
      const { topic } = spec;
      const bytes = sizeOf(record);
      const partitions = metadata.get(topic)?.partitions ?? [];
      const chosen = partition ?? (turn === undefined ? undefined : ledPartition(partitions, turn));
      const key = chosen === undefined ? topic : partitionKey({ topic, partition: chosen });
      let chunk = open.get(key);
      const isFull = (each: Chunk) =>
        each.bytes + bytes > (this.#limits.get(topic) ?? MAX_BATCH_BYTES) || each.records.length >= MAX_BATCH_RECORDS;
      if (chunk === undefined || isFull(chunk)) {
        chunk = {
          topic,
          partition: chosen ?? this.#nextPartition(topic, partitions),
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
  #nextPartition(topic: string, partitions: Partitions): number {
    const turn = this.#turns.get(topic) ?? Math.floor(Math.random() * 1_000);
    this.#turns.set(topic, turn + 1);
    return ledPartition(partitions, turn);
  }

  async #send(chunks: readonly Chunk[], fail: Fail): Promise<void> {
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

  async #sendTo(node: number, chunks: readonly Chunk[], fail: Fail): Promise<void> {
    const split: Chunk[] = [];
    try {
      const batches: RecordBatch[] = chunks.map(({ topic, partition, records }) => ({ topic, partition, records }));
      const results = await this.#cluster.client.produce(node, batches);
      const byPartition = new Map(results.map((result) => [partitionKey(result), result]));
      for (const chunk of chunks) {
        const { topic, partition, indexes } = chunk;
        const result = byPartition.get(partitionKey(chunk));
        const error =
          result === undefined
            ? new KafkaError("UNCONFIRMED", `The response does not mention ${topic} [${partition}].`, true)
            : result.error;
        if (error === undefined) continue;
        if (indexes.length > 1 && REFUSED_TOGETHER.has(error.type)) {
          split.push(chunk);
          continue;
        }
        this.#invalidate(topic, error);
        fail(indexes, error);
      }
    } catch (error) {
      for (const { topic, indexes } of chunks) {
        this.#invalidate(topic, error);
        fail(indexes, error);
      }
    }
    for (const chunk of split) {
      if (chunk.bytes < MAX_BATCH_BYTES) this.#limits.set(chunk.topic, Math.max(MIN_BATCH_BYTES, chunk.bytes / 2));
      for (const half of halves(chunk)) await this.#sendTo(node, [half], fail);
    }
  }

  #invalidate(topic: string, error: unknown): void {
    this.#cluster.invalidate(topic, error);
    if (error instanceof KafkaError && error.type === "UNKNOWN_TOPIC_OR_PARTITION") this.#topology.forget(topic);
    if (!isPapaError(error)) this.#cluster.logger.debug({ err: error, topic }, "Kafka did not store some records.");
  }
}

type Partitions = readonly { readonly partition: number; readonly leader: number }[];

function ledPartition(partitions: Partitions, turn: number): number {
  const led = partitions.filter(({ leader }) => leader >= 0);
  return led[turn % Math.max(led.length, 1)]?.partition ?? 0;
}

function halves({ topic, partition, indexes, records, bytes }: Chunk): Chunk[] {
  const middle = Math.ceil(indexes.length / 2);
  const part = (from: number, to?: number): Chunk => ({
    topic,
    partition,
    indexes: indexes.slice(from, to),
    records: records.slice(from, to),
    bytes: bytes / 2,
  });
  return [part(0, middle), part(middle)];
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

/** The name of a record's event, as far as this library has written it. */
function nameOf({ headers }: KafkaRecord): string {
  const name = headers?.[HEADER.type];
  return name instanceof Uint8Array ? Buffer.from(name).toString() : String(name ?? "");
}

function sizeOf({ key, value, headers }: KafkaRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const name in headers) {
    const header = headers[name];
    // Only a stranger's header comes more than once.
    const values: readonly unknown[] = Array.isArray(header) ? header : [header];
    for (const each of values) bytes += name.length * 3 + 4 + headerBytes(each);
  }
  return bytes;
}

function headerBytes(value: unknown): number {
  // One UTF-16 code unit becomes at most three bytes of UTF-8.
  if (typeof value === "string") return value.length * 3;
  return value instanceof Uint8Array ? value.length : 0;
}
