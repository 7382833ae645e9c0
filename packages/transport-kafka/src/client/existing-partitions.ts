import type { TopicPartition } from "../wire/topic-partition.ts";
import type { Cluster } from "./cluster.ts";

/** Resolves to all partitions of those of some topics that exist. @throws KafkaError */
export async function existingPartitions(
  cluster: Cluster,
  topics: readonly string[],
): Promise<readonly TopicPartition[]> {
  const known = await cluster.retried(() => cluster.topics(topics));
  return [...known].flatMap(([topic, { partitions }]) => partitions.map(({ partition }) => ({ topic, partition })));
}
