import type {
  DeadLetterPage,
  DeadLetterQuery,
  DeadLetterStore,
  EncodedEvent,
  Revive,
  StoredDeadLetter,
} from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import { papaErrorOf, unknownUseCase } from "../client/errors.ts";
import { readRecords } from "../client/read-records.ts";
import { TopicTail } from "../client/topic-tail.ts";
import type { Registry } from "../declarations/registry.ts";
import type { TopicSpec, Topology } from "../declarations/topology.ts";
import type { Producer } from "../publishing/producer.ts";
import type { Publisher } from "../publishing/publisher.ts";
import { eventOf, nameOf, recordOf } from "../wire/event-record.ts";
import type { FetchedRecord, KafkaRecord } from "../wire/records.ts";

/** How many dead letters are redriven or purged at a time. */
const CHUNK_SIZE = 200;

export interface DeadLettersOptions {
  readonly useCase: string;
  readonly cluster: Cluster;
  readonly topology: Topology;
  readonly registry: Registry;
  readonly producer: Producer;
  readonly publisher: Publisher;
}

/** Keeps the dead letters of a use case in a compacted topic, keyed by id. Their offsets are read once and then followed. */
export class DeadLetters implements DeadLetterStore {
  readonly #options: DeadLettersOptions;
  readonly #topic: TopicSpec;
  readonly #tail: TopicTail;
  /** Offsets by id, in ascending order. */
  readonly #offsets = new Map<string, number>();

  constructor(options: DeadLettersOptions) {
    this.#options = options;
    this.#topic = options.topology.deadLetters(options.useCase);
    this.#tail = new TopicTail(options.cluster, this.#topic.topic, ({ key, value, offset }) => {
      const id = key?.toString();
      if (id === undefined) return;
      // One that was stored again after an unknown outcome moves to the end, as it does in the topic.
      this.#offsets.delete(id);
      if (value !== null) this.#offsets.set(id, offset);
    });
  }

  /** Stores a dead letter, retrying as {@link Producer.storeUntil} does. @throws PapaError */
  storeUntil(id: string, event: EncodedEvent, abandoned: () => boolean): Promise<boolean> {
    const record = { ...recordOf(event), key: id };
    return this.#options.producer.storeUntil({ topic: this.#topic, partition: 0, record }, abandoned);
  }

  async count(): Promise<number> {
    await this.#refresh();
    return this.#offsets.size;
  }

  async list({ limit, after, order }: DeadLetterQuery): Promise<DeadLetterPage> {
    await this.#refresh();
    const from = after === undefined ? undefined : Number(after);
    const all = order === "oldest" ? [...this.#offsets] : [...this.#offsets].reverse();
    const rest = all.filter(([, offset]) => from === undefined || (order === "oldest" ? offset > from : offset < from));
    const page = rest.slice(0, limit);
    const items = await this.#read(page.map(([, offset]) => offset));
    const last = page.at(-1);
    return last !== undefined && rest.length > page.length ? { items, next: String(last[1]) } : { items };
  }

  async get(id: string): Promise<StoredDeadLetter | undefined> {
    await this.#refresh();
    const offset = this.#offsets.get(id);
    return offset === undefined ? undefined : (await this.#read([offset]))[0];
  }

  async redrive(ids: readonly string[] | "all", revive: Revive): Promise<number> {
    const { useCase, publisher, cluster } = this.#options;
    return this.#each(ids, async (chosen) => {
      const found = await this.#read(chosen.map(([, offset]) => offset));
      const problems = await publisher.requeue(found.map((each) => ({ useCase, record: recordOf(revive(each)) })));
      const moved = found.filter((_, index) => problems[index] === undefined);
      await this.#remove(moved.map(({ id }) => id));
      const problem = problems.find((each) => each !== undefined);
      if (problem !== undefined) throw papaErrorOf(problem, cluster.address);
      return moved.length;
    });
  }

  purge(ids: readonly string[] | "all"): Promise<number> {
    return this.#each(ids, async (chosen) => {
      await this.#remove(chosen.map(([id]) => id));
      return chosen.length;
    });
  }

  async #each(
    ids: readonly string[] | "all",
    act: (chosen: readonly (readonly [id: string, offset: number])[]) => Promise<number>,
  ): Promise<number> {
    await this.#refresh();
    const wanted = ids === "all" ? [...this.#offsets.keys()] : [...new Set(ids)];
    const chosen = wanted.flatMap((id) => {
      const offset = this.#offsets.get(id);
      return offset === undefined ? [] : [[id, offset] as const];
    });
    let count = 0;
    for (let from = 0; from < chosen.length; from += CHUNK_SIZE)
      count += await act(chosen.slice(from, from + CHUNK_SIZE));
    return count;
  }

  /** Stores tombstones. Compaction removes the dead letters, and later the tombstones too. */
  async #remove(ids: readonly string[]): Promise<void> {
    const { producer } = this.#options;
    const records: KafkaRecord[] = ids.map((key) => ({ key, value: null }));
    await Promise.all(records.map((record) => producer.storeOne({ topic: this.#topic, partition: 0, record })));
    await this.#tail.refresh();
  }

  /** @throws PapaError `unknown-use-case` */
  async #refresh(): Promise<void> {
    const { registry, useCase, cluster } = this.#options;
    try {
      if (!registry.has(useCase)) await registry.refresh();
      if (!registry.has(useCase)) throw unknownUseCase(useCase);
      await this.#tail.refresh();
    } catch (error) {
      throw papaErrorOf(error, cluster.address);
    }
  }

  /** Reads the dead letters at these offsets, in this order. */
  async #read(offsets: readonly number[]): Promise<StoredDeadLetter[]> {
    const { cluster } = this.#options;
    try {
      const found = await readRecords(cluster, { topic: this.#topic.topic, partition: 0 }, offsets);
      return offsets.flatMap((offset) => {
        const record = found.get(offset);
        return record === undefined ? [] : [this.#deadLetter(record)];
      });
    } catch (error) {
      throw papaErrorOf(error, cluster.address);
    }
  }

  #deadLetter(record: FetchedRecord): StoredDeadLetter {
    const name = nameOf(record, undefined);
    return { id: record.key?.toString() ?? "", event: eventOf(record, name, this.#topic.topic) };
  }
}
