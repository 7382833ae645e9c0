import type { PapaError } from "@papa-events/core";
import {
  type DeadLetterPage,
  type DeadLetterQuery,
  type DeadLetterStore,
  type EncodedEvent,
  invalidOption,
  MAX_DEAD_LETTER_PAGE_BYTES,
  type Progress,
  type Revive,
  type Selection,
  type StoredDeadLetter,
} from "@papa-events/core/transport";
import { Backoff } from "../client/backoff.ts";
import type { Cluster } from "../client/cluster.ts";
import { papaErrorOf, unknownUseCase } from "../client/errors.ts";
import { readInOrder } from "../client/read-in-order.ts";
import type { Registry } from "../declarations/registry.ts";
import type { TopicSpec, Topology } from "../declarations/topology.ts";
import type { Producer } from "../publishing/producer.ts";
import type { Publisher } from "../publishing/publisher.ts";
import { eventOf, nameOf, recordOf } from "../wire/event-record.ts";
import { KafkaError } from "../wire/kafka-error.ts";
import { bytesOf, type FetchedRecord, type KafkaRecord } from "../wire/records.ts";
import { LetterIndex } from "./letter-index.ts";

/** How many dead letters are redriven or purged at a time. */
const CHUNK_SIZE = 500;
/** How long records are offered again that are refused for now. */
const PATIENCE_MS = 5_000;

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
  readonly #index: LetterIndex;

  constructor(options: DeadLettersOptions) {
    this.#options = options;
    this.#topic = options.topology.deadLetters(options.useCase);
    this.#index = new LetterIndex(options.cluster, this.#topic.topic);
  }

  /** Stores a dead letter, retrying as {@link Producer.storeUntil} does. @throws PapaError */
  storeUntil(id: string, event: EncodedEvent, abandoned: () => boolean): Promise<boolean> {
    const record = { ...recordOf(event), key: id };
    return this.#options.producer.storeUntil({ topic: this.#topic, partition: 0, record }, abandoned);
  }

  async count(): Promise<number> {
    await this.#refresh();
    return this.#index.size;
  }

  async list({ limit, after, order }: DeadLetterQuery): Promise<DeadLetterPage> {
    const from = after === undefined ? undefined : Number(after);
    if (from !== undefined && !Number.isSafeInteger(from))
      throw invalidOption("list: after", `${JSON.stringify(after)} is not the next of a page before`);
    await this.#refresh();
    const offsets = this.#index
      .offsets()
      .filter((offset) => from === undefined || (order === "oldest" ? offset > from : offset < from));
    const items: StoredDeadLetter[] = [];
    let bytes = 0;
    for await (const records of this.#read(offsets, order)) {
      for (const record of records) {
        bytes += bytesOf(record);
        const last = items.length === limit || (items.length > 0 && bytes > MAX_DEAD_LETTER_PAGE_BYTES);
        if (last) return { items, next: String(order === "oldest" ? record.offset - 1 : record.offset + 1) };
        items.push(this.#deadLetter(record));
      }
    }
    return { items };
  }

  async get(id: string): Promise<StoredDeadLetter | undefined> {
    await this.#refresh();
    for await (const [record] of this.#read(this.#index.offsets([id]), "oldest"))
      if (record !== undefined) return this.#deadLetter(record);
    return undefined;
  }

  async *scan(order: "newest" | "oldest", signal?: AbortSignal): AsyncGenerator<StoredDeadLetter> {
    await this.#refresh();
    for await (const records of this.#read(this.#index.offsets(), order)) {
      for (const record of records) {
        if (signal?.aborted === true) return;
        yield this.#deadLetter(record);
      }
    }
  }

  /** Letters that cannot be put back stay and keep no others from it. @throws PapaError what is wrong with the first of them */
  async redrive(which: Selection, revive: Revive, progress: Progress = {}): Promise<number> {
    let refused: PapaError | undefined;
    const done = await this.#each(which, progress, async (letters) => {
      const problems = await this.#requeue(letters.map((each) => recordOf(revive(each))));
      const problem = problems.find((each) => each !== undefined);
      const moved = letters.filter((_, index) => problems[index] === undefined);
      await this.#remove(moved.map(({ id }) => id));
      if (problem?.retryable === true) throw problem;
      refused ??= problem;
      return moved.length;
    });
    if (refused !== undefined) throw refused;
    return done;
  }

  async purge(which: Selection, progress: Progress = {}): Promise<number> {
    const act = async (ids: readonly string[]) => {
      await this.#remove(ids);
      return ids.length;
    };
    if (typeof which === "function") return this.#each(which, progress, (letters) => act(letters.map(({ id }) => id)));
    await this.#refresh();
    const ids = which === "all" ? this.#index.ids : [...new Set(which)].filter((id) => this.#index.has(id));
    const { onProgress, signal } = progress;
    let done = 0;
    for (let from = 0; from < ids.length && signal?.aborted !== true; from += CHUNK_SIZE) {
      done += await act(ids.slice(from, from + CHUNK_SIZE));
      onProgress?.({ seen: done, done });
    }
    if (done === 0) onProgress?.({ seen: 0, done });
    return done;
  }

  /** Goes once through those that are there now and meant, some at a time. */
  async #each(
    which: Selection,
    { onProgress, signal }: Progress,
    act: (letters: readonly StoredDeadLetter[]) => Promise<number>,
  ): Promise<number> {
    await this.#refresh();
    let seen = 0;
    let done = 0;
    const offsets = this.#index.offsets(typeof which === "function" || which === "all" ? undefined : which);
    for await (const records of this.#read(offsets, "oldest")) {
      for (let from = 0; from < records.length && signal?.aborted !== true; from += CHUNK_SIZE) {
        const chunk = records.slice(from, from + CHUNK_SIZE);
        // Somebody else may have redriven it meanwhile.
        const letters = chunk.flatMap((each) =>
          this.#index.has(idOf(each), each.offset) ? [this.#deadLetter(each)] : [],
        );
        const meant = typeof which === "function" ? letters.filter(which) : letters;
        seen += letters.length;
        if (meant.length > 0) done += await act(meant);
        onProgress?.({ seen, done });
      }
      if (signal?.aborted === true) break;
    }
    if (seen === 0) onProgress?.({ seen, done });
    return done;
  }

  /** Sends records back to the use case; again where they are refused for now, as right after its topic was made. */
  async #requeue(records: readonly KafkaRecord[]): Promise<(PapaError | undefined)[]> {
    const { useCase, publisher } = this.#options;
    const backoff = new Backoff();
    const until = performance.now() + PATIENCE_MS;
    const problems = await publisher.requeue(records.map((record) => ({ useCase, record })));
    for (;;) {
      const again = [...problems.keys()].filter((index) => problems[index]?.retryable === true);
      if (again.length === 0 || performance.now() > until) return problems;
      await backoff.pause();
      const next = await publisher.requeue(
        again.flatMap((index) => records[index] ?? []).map((record) => ({ useCase, record })),
      );
      for (const [place, index] of again.entries()) problems[index] = next[place];
    }
  }

  /** Stores tombstones. Compaction removes the dead letters, and later the tombstones too. */
  async #remove(ids: readonly string[]): Promise<void> {
    const { producer, cluster } = this.#options;
    const topic = this.#topic;
    const tombstones = ids.map((key) => ({ topic, partition: 0, record: { key, value: null } }));
    const stored = await Promise.all(tombstones.map((each) => producer.storeUntil(each, () => !cluster.reachable)));
    if (stored.includes(false)) throw papaErrorOf(connectionLost(), cluster.address);
    await this.#refresh();
  }

  /** @throws PapaError `unknown-use-case` */
  async #refresh(): Promise<void> {
    const { registry, useCase, cluster } = this.#options;
    try {
      if (!registry.has(useCase)) await registry.refresh();
      if (!registry.has(useCase)) throw unknownUseCase(useCase);
      await this.#index.refresh();
    } catch (error) {
      throw papaErrorOf(error, cluster.address);
    }
  }

  async *#read(offsets: Float64Array, order: "oldest" | "newest"): AsyncGenerator<readonly FetchedRecord[]> {
    const { cluster } = this.#options;
    try {
      yield* readInOrder(cluster, { topic: this.#topic.topic, partition: 0 }, offsets, order);
    } catch (error) {
      throw papaErrorOf(error, cluster.address);
    }
  }

  #deadLetter(record: FetchedRecord): StoredDeadLetter {
    return {
      id: idOf(record),
      // The key is the letter's id.
      event: eventOf({ ...record, key: null }, nameOf(record, undefined), { topic: this.#topic.topic, partition: 0 }),
    };
  }
}

function connectionLost(): KafkaError {
  return new KafkaError("CONNECTION", "The connection was lost.", true);
}

function idOf({ key }: FetchedRecord): string {
  return key?.toString() ?? "";
}
