import type { Cluster } from "../client/cluster.ts";
import { existingPartitions } from "../client/existing-partitions.ts";
import { idKey, type Positions } from "./bindings.ts";

/** Resolves to where each of some topics ends now, with its id, for those that exist. @throws KafkaError */
export async function endsOf(cluster: Cluster, topics: readonly string[]): Promise<ReadonlyMap<string, Positions>> {
  const ends = new Map<string, number[]>();
  const all = await existingPartitions(cluster, topics);
  for (const { topic, partition, offset } of await cluster.offsets(all, "latest")) {
    const offsets = ends.get(topic) ?? [];
    offsets[partition] = offset;
    ends.set(topic, offsets);
  }
  return new Map(
    [...ends].map(([topic, offsets]) => {
      const id = cluster.idOf(topic);
      return [topic, { [topic]: offsets, ...(id === undefined ? {} : { [idKey(topic)]: [id] }) }];
    }),
  );
}
