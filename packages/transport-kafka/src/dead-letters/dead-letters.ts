import type {
  DeadLetterPage,
  DeadLetterQuery,
  DeadLetterStore,
  Revive,
  StoredDeadLetter,
} from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import { papaErrorOf, unknownUseCase } from "../client/errors.ts";
import { type FetchedRecord, KafkaError, type KafkaRecord } from "../client/kafka-client.ts";
import { Tail } from "../client/topic-tail.ts";
import type { Registry } from "../declarations/registry.ts";
import type { Wanted } from "../declarations/topology.ts";
import type { Producer } from "../publishing/producer.ts";
import { recordOf, type Storage } from "../publishing/publisher.ts";
import { eventOf, nameOf } from "../wire/event-record.ts";

const LIMITS = { wait: 0, bytes: 4 * 1_048_576, bytesPerPartition: 4 * 1_048_576 };
/** How many letters are moved at a time. */
const MOVED_AT_ONCE = 200;

export interface LettersOptions {
  readonly useCase: string;
  readonly cluster: Cluster;
  readonly registry: Registry;
  readonly producer: Producer;
  readonly storage: Storage;
}

/** The dead letters of a use case: a compacted topic, keyed by their ids. Where each one is, is read once and then followed. */
export class Letters implements DeadLetterStore {
  readonly #options: LettersOptions;
  readonly #topic: Wanted;
  readonly #tail: Tail;
  /** Offsets by id, in the order of dying. */
  readonly #offsets = new Map<string, number>();

  constructor(options: LettersOptions) {
    this.#options = options;
    this.#topic = options.storage.dead(options.useCase);
    this.#tail = new Tail(options.cluster, this.#topic.topic, ({ key, value, offset }) => {
      const id = key?.toString();
      if (id === undefined) return;
      // A letter that is stored a second time, after an unknown outcome, died when it was stored first.
      if (value === null) this.#offsets.delete(id);
      else this.#offsets.set(id, offset);
    });
  }

  async count(): Promise<number> {
    await this.#refresh();
    return this.#offsets.size;
  }

  async list({ limit, after, order }: DeadLetterQuery): Promise<DeadLetterPage> {
    await this.#refresh();
    const from = after === undefined ? undefined : Number(after);
    const all = [...this.#offsets].sort(([, a], [, b]) => (order === "oldest" ? a - b : b - a));
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
    const { useCase, storage, cluster } = this.#options;
    return this.#each(ids, async (chosen) => {
      const letters = await this.#read(chosen.map(([, offset]) => offset));
      const problems = await storage.putBack(letters.map((letter) => ({ useCase, record: recordOf(revive(letter)) })));
      const moved = letters.filter((_, index) => problems[index] === undefined);
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
    for (let from = 0; from < chosen.length; from += MOVED_AT_ONCE)
      count += await act(chosen.slice(from, from + MOVED_AT_ONCE));
    return count;
  }

  /** Tombstones: the compaction takes the letters away, and the tombstones after them. */
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

  /** The letters at these offsets, in this order. What is near to one another comes in one fetch. */
  async #read(offsets: readonly number[]): Promise<StoredDeadLetter[]> {
    const { cluster } = this.#options;
    const wanted = new Set(offsets);
    const found = new Map<number, FetchedRecord>();
    try {
      for (const offset of [...wanted].sort((a, b) => a - b)) {
        if (found.has(offset)) continue;
        for (const record of await cluster.retried(() => this.#fetch(offset)))
          if (wanted.has(record.offset)) found.set(record.offset, record);
      }
    } catch (error) {
      throw papaErrorOf(error, cluster.address);
    }
    return offsets.flatMap((offset) => {
      const record = found.get(offset);
      return record === undefined ? [] : [this.#letter(record)];
    });
  }

  async #fetch(offset: number): Promise<readonly FetchedRecord[]> {
    const { cluster } = this.#options;
    const place = { topic: this.#topic.topic, partition: 0 };
    const [result] = await cluster.client.fetch(await cluster.leader(place), [{ ...place, offset }], LIMITS);
    if (result?.error !== undefined) {
      cluster.doubt(place.topic, result.error);
      throw result.error;
    }
    if (result === undefined) throw new KafkaError("UNKNOWN", "The broker answered for no partition.", true);
    return result.records;
  }

  #letter(record: FetchedRecord): StoredDeadLetter {
    const name = nameOf(record, undefined);
    return { id: record.key?.toString() ?? "", event: eventOf(record, name, this.#topic.topic) };
  }
}
