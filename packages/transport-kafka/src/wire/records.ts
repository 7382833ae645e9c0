import type { Headers } from "@papa-events/core/transport";
import type { KafkaError } from "./kafka-error.ts";
import type { TopicPartition } from "./topic-partition.ts";

/** A record to be stored. A `null` value is a tombstone in a compacted topic. */
export interface KafkaRecord {
  readonly key: string | Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: Headers | Readonly<Record<string, unknown>>;
}

/** Records that are stored together in one partition. */
export interface RecordBatch extends TopicPartition {
  readonly records: readonly KafkaRecord[];
}

/** A record as the broker returned it. */
export interface FetchedRecord {
  readonly offset: number;
  /** When the broker stored it, by the broker's clock, unless it is claimed. */
  readonly time: number;
  /** Set where the topic keeps the time of whoever produces, which may be any. */
  readonly timeIsClaimed?: true | undefined;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, unknown>>;
  /** How many bytes the headers take. */
  readonly headerBytes?: number | undefined;
  /** Why nothing of its batch can be read. The value is then the batch, and the offset that of its last record. */
  readonly unreadable?: string | undefined;
}

/** How many bytes of a record are kept while it is. */
export function bytesOf({ value, headerBytes = 0 }: FetchedRecord): number {
  return (value?.length ?? 0) + headerBytes;
}

/** What a fetch returned for one partition. */
export interface FetchResult extends TopicPartition {
  readonly error?: KafkaError | undefined;
  readonly highWatermark: number;
  readonly records: readonly FetchedRecord[];
  /** The offset to fetch next; unchanged if nothing was returned. */
  readonly next: number;
  /** Whether all that was returned is one batch that is not as its checksum says. It may be whole when it is fetched again. */
  readonly damaged?: boolean | undefined;
}
