import type { Cluster } from "../client/cluster.ts";
import { partitionKey, type TopicPartition } from "../wire/topic-partition.ts";

export const TRIM_INTERVAL_MS = 60_000;

/**
 * Deletes the records below a group's commits from partitions without retention. Otherwise these would grow forever, and
 * would be read again from the beginning if the group's commits expired. Never rejects.
 */
export async function trim(cluster: Cluster, group: string, partitions: readonly TopicPartition[]): Promise<void> {
  try {
    const node = await cluster.client.coordinator(group);
    const committed = await cluster.client.committed(node, group, partitions);
    const starts = await cluster.offsets(partitions, "earliest");
    const startOf = new Map(starts.map((start) => [partitionKey(start), start.offset]));
    const done = committed.filter(
      (commit) => commit.offset > (startOf.get(partitionKey(commit)) ?? Number.POSITIVE_INFINITY),
    );
    for (const [leader, list] of await cluster.byLeader(done)) {
      // kafkajs writes only one topic per request.
      for (const each of list) await cluster.client.deleteRecords(leader, [each]);
    }
  } catch (error) {
    if (!cluster.closed) cluster.logger.debug({ err: error }, "Finished records could not be deleted; trying again.");
  }
}
