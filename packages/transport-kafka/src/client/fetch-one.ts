import { KafkaError } from "../wire/kafka-error.ts";
import type { FetchResult } from "../wire/records.ts";
import type { TopicPartition } from "../wire/topic-partition.ts";
import type { Cluster } from "./cluster.ts";

const MEBIBYTE = 1_048_576;
const LIMITS = { wait: 0, bytes: 4 * MEBIBYTE, bytesPerPartition: 4 * MEBIBYTE };
/** What is damaged so often in a row is so at the broker. */
const MAX_DAMAGES = 3;

/**
 * Fetches from one partition what is there, up to 4 MiB unless a single batch is larger. An offset that is gone is an error
 * of the result; others are thrown.
 *
 * @throws KafkaError
 */
export async function fetchOne(cluster: Cluster, source: TopicPartition, offset: number): Promise<FetchResult> {
  for (let damages = 0; ; damages += 1) {
    const result = await fetchOnce(cluster, source, offset);
    if (result.damaged !== true || damages === MAX_DAMAGES) return result;
  }
}

async function fetchOnce(cluster: Cluster, source: TopicPartition, offset: number): Promise<FetchResult> {
  try {
    const [result] = await cluster.client.fetch(await cluster.leader(source), [{ ...source, offset }], LIMITS);
    if (result === undefined) throw new KafkaError("UNKNOWN", "The response holds no partition.", true);
    if (result.error !== undefined && result.error.type !== "OFFSET_OUT_OF_RANGE") throw result.error;
    return result;
  } catch (error) {
    cluster.invalidate(source.topic, error);
    throw error;
  }
}
