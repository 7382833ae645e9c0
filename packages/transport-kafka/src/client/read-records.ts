import type { FetchedRecord } from "../wire/records.ts";
import type { TopicPartition } from "../wire/topic-partition.ts";
import type { Cluster } from "./cluster.ts";
import { fetchOne } from "./fetch-one.ts";

/**
 * Reads the records of a partition at some offsets; those that are gone are absent. Neighbours come in one fetch.
 *
 * @throws KafkaError
 */
export async function readRecords(
  cluster: Cluster,
  source: TopicPartition,
  offsets: readonly number[],
): Promise<ReadonlyMap<number, FetchedRecord>> {
  const wanted = new Set(offsets);
  const found = new Map<number, FetchedRecord>();
  for (const offset of [...wanted].sort((a, b) => a - b)) {
    if (found.has(offset)) continue;
    const { records } = await cluster.retried(() => fetchOne(cluster, source, offset));
    for (const record of records) if (wanted.has(record.offset)) found.set(record.offset, record);
  }
  return found;
}
