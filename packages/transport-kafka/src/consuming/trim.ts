import type { Cluster } from "../client/cluster.ts";
import type { Place } from "../client/kafka-client.ts";

/**
 * Destroys what is done in partitions that are kept for ever: all below what their group has committed. Without it they
 * would grow for ever, and be read again from their beginning if the group's commits expired.
 */
export async function trim(cluster: Cluster, group: string, places: readonly Place[]): Promise<void> {
  try {
    const node = await cluster.client.coordinator(group);
    const committed = await cluster.client.committed(node, group, places);
    const starts = await cluster.offsets(places, "earliest");
    const startOf = new Map(starts.map(({ topic, partition, offset }) => [`${partition} ${topic}`, offset]));
    const done = committed.filter(
      ({ topic, partition, offset }) => offset > (startOf.get(`${partition} ${topic}`) ?? Number.POSITIVE_INFINITY),
    );
    for (const [leader, list] of await cluster.byLeader(done)) {
      // kafkajs writes one topic per request only.
      for (const each of list) await cluster.client.deleteRecords(leader, [each]);
    }
  } catch (error) {
    if (!cluster.closed) cluster.logger.debug({ error }, "What is done could not be removed; it is tried again.");
  }
}
