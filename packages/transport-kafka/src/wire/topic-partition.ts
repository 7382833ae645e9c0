/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** An offset in a partition. */
export interface PartitionOffset extends TopicPartition {
  readonly offset: number;
}

/** Names a partition in maps and sets. */
export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${partition} ${topic}`;
}

/** Groups what belongs to partitions by topic, as the protocol's requests want it. */
export function groupByTopic<P extends TopicPartition, R>(
  all: readonly P[],
  partitionOf: (each: P) => R,
): { topic: string; partitions: R[] }[] {
  const topics = new Map<string, R[]>();
  for (const each of all) {
    const partitions = topics.get(each.topic);
    if (partitions === undefined) topics.set(each.topic, [partitionOf(each)]);
    else partitions.push(partitionOf(each));
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
}
