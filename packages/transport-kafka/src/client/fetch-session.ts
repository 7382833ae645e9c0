import { KafkaError } from "../wire/kafka-error.ts";
import { type PartitionOffset, partitionKey, type TopicPartition } from "../wire/topic-partition.ts";

/** Fewer partitions are asked for in full each time: a broker remembers a thousand sessions of all its clients. */
const MIN_PARTITIONS = 100;
const MAX_EPOCH = 2_147_483_647;
const FORGOTTEN = new Set(["FETCH_SESSION_ID_NOT_FOUND", "INVALID_FETCH_SESSION_EPOCH"]);

/** What a request says that is on its own. */
export const NO_SESSION = { id: 0, epoch: -1, forgotten: [] };

/** A partition that is to be fetched from a position on. */
export interface Fetched {
  readonly key: string;
  readonly source: TopicPartition;
  readonly position: number;
}

/**
 * What a broker remembers of one reader's fetches (KIP-227): a request then names only the partitions whose positions have
 * changed since the one before, and the response only those of which there is news. There is one fetch at a time.
 */
export class FetchSession {
  #id = 0;
  /** 0 begins a session, in place of the one before. */
  #epoch = 0;
  #isWide = false;
  #forgotten: readonly TopicPartition[] = [];
  /** What the broker has been asked for, by `partitionKey`. */
  readonly #asked = new Map<string, PartitionOffset>();

  /** What a request has to name, so that all of these partitions are fetched. */
  begin(all: readonly Fetched[]): readonly PartitionOffset[] {
    this.#isWide = all.length >= MIN_PARTITIONS;
    if (!this.#isWide || this.#epoch === 0) this.#asked.clear();
    const changed: PartitionOffset[] = [];
    for (const { key, source, position } of all) {
      if (this.#asked.get(key)?.offset === position) continue;
      const asked = { ...source, offset: position };
      this.#asked.set(key, asked);
      changed.push(asked);
    }
    this.#forgotten = this.#asked.size > all.length ? this.#forget(all) : [];
    return changed;
  }

  /** What else the request says. */
  get request(): { readonly id: number; readonly epoch: number; readonly forgotten: readonly TopicPartition[] } {
    return this.#isWide ? { id: this.#id, epoch: this.#epoch, forgotten: this.#forgotten } : NO_SESSION;
  }

  /** The position that was asked for; `undefined` where none was. */
  positionOf(partition: TopicPartition): number | undefined {
    return this.#asked.get(partitionKey(partition))?.offset;
  }

  /** Notes what the response says: 0 where the broker remembers nothing. */
  answered(id: number): void {
    this.#id = id;
    if (id === 0) this.#epoch = 0;
    else this.#epoch = this.#epoch === MAX_EPOCH ? 1 : this.#epoch + 1;
  }

  /** Begins anew after a request that failed. @returns whether that is all there is to do, since the broker has only forgotten the session */
  failed(error: unknown): boolean {
    this.#epoch = 0;
    return error instanceof KafkaError && FORGOTTEN.has(error.type);
  }

  #forget(all: readonly Fetched[]): readonly TopicPartition[] {
    const kept = new Set(all.map(({ key }) => key));
    const forgotten: TopicPartition[] = [];
    for (const [key, partition] of this.#asked) {
      if (kept.has(key)) continue;
      this.#asked.delete(key);
      forgotten.push(partition);
    }
    return forgotten;
  }
}
