import { KafkaError } from "../wire/kafka-error.ts";
import type { FetchedRecord } from "../wire/records.ts";
import type { TopicPartition } from "../wire/topic-partition.ts";
import type { Cluster } from "./cluster.ts";

const FETCH_LIMITS = { wait: 0, bytes: 4 * 1_048_576, bytesPerPartition: 4 * 1_048_576 };

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
    for (const record of await cluster.retried(() => fetchFrom(cluster, source, offset)))
      if (wanted.has(record.offset)) found.set(record.offset, record);
  }
  return found;
}

async function fetchFrom(cluster: Cluster, source: TopicPartition, offset: number): Promise<readonly FetchedRecord[]> {
  const [result] = await cluster.client.fetch(await cluster.leader(source), [{ ...source, offset }], FETCH_LIMITS);
  if (result?.error?.type === "OFFSET_OUT_OF_RANGE") return [];
  if (result?.error !== undefined) {
    cluster.invalidate(source.topic, result.error);
    throw result.error;
  }
  if (result === undefined) throw new KafkaError("UNKNOWN", "The response holds no partition.", true);
  return result.records;
}
