import { bytesOf, type FetchedRecord } from "../wire/records.ts";
import type { TopicPartition } from "../wire/topic-partition.ts";
import type { Cluster } from "./cluster.ts";
import { fetchOne } from "./fetch-one.ts";

/** Backwards, so many records are read at a time: more while they are small, fewer where they are large. */
const FIRST_GROUP = 8;
const MAX_GROUP = 2_000;
const MIN_GROUP_BYTES = 2 * 1_048_576;
const MAX_GROUP_BYTES = 16 * 1_048_576;

/**
 * Reads the records of a partition at some offsets, which are ascending, forwards or backwards. Those that are gone are left
 * out. A list is yielded at a time, of bounded size unless a single record is larger.
 *
 * @throws KafkaError
 */
export async function* readInOrder(
  cluster: Cluster,
  source: TopicPartition,
  offsets: Float64Array,
  order: "oldest" | "newest",
): AsyncGenerator<readonly FetchedRecord[]> {
  if (order === "oldest") {
    for await (const { records } of forwards(cluster, source, offsets)) if (records.length > 0) yield records;
    return;
  }
  let size = FIRST_GROUP;
  for (let end = offsets.length; end > 0; ) {
    const from = Math.max(end - size, 0);
    const group: FetchedRecord[] = [];
    let bytes = 0;
    for await (const each of forwards(cluster, source, offsets.subarray(from, end))) {
      group.push(...each.records);
      bytes += each.bytes;
      if (bytes > MAX_GROUP_BYTES && end - from > 1) break;
    }
    if (bytes > MAX_GROUP_BYTES && end - from > 1) {
      size = (end - from) >> 2 || 1;
      continue;
    }
    if (bytes < MIN_GROUP_BYTES) size = Math.min(size * 2, MAX_GROUP);
    if (group.length > 0) yield group.reverse();
    end = from;
  }
}

interface Read {
  readonly records: readonly FetchedRecord[];
  /** How much memory they hold: all that came with them. */
  readonly bytes: number;
}

async function* forwards(cluster: Cluster, source: TopicPartition, offsets: Float64Array): AsyncGenerator<Read> {
  for (let at = 0; at < offsets.length; ) {
    const offset = offsets[at] ?? 0;
    const { records, next } = await cluster.retried(() => fetchOne(cluster, source, offset));
    const found: FetchedRecord[] = [];
    let index = 0;
    for (; at < offsets.length && (offsets[at] ?? 0) < Math.max(next, offset + 1); at += 1) {
      const wanted = offsets[at] ?? 0;
      while ((records[index]?.offset ?? Number.POSITIVE_INFINITY) < wanted) index += 1;
      const record = records[index];
      if (record?.offset === wanted) found.push(record);
    }
    yield { records: found, bytes: records.reduce((sum, record) => sum + bytesOf(record), 0) };
  }
}
