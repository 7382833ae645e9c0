import type { Cluster } from "../client/cluster.ts";
import { existingPartitions } from "../client/existing-partitions.ts";
import type { Discovery } from "../declarations/discovery.ts";
import type { Registry } from "../declarations/registry.ts";
import type { Topology } from "../declarations/topology.ts";
import { readRuns } from "../wire/done-runs.ts";
import { partitionKey } from "../wire/topic-partition.ts";

export interface CountOpenOptions {
  readonly cluster: Cluster;
  readonly topology: Topology;
  readonly registry: Registry;
  readonly discovery: Discovery;
}

/**
 * Counts a use case's events that are neither done nor waiting for a retry, delivered ones included. Unread events that no
 * pattern matches count too, so that the number is an upper bound.
 */
export async function countOpen(useCase: string, options: CountOpenOptions): Promise<number> {
  const { cluster, topology, registry, discovery } = options;
  // Whoever only looks must make nothing.
  await discovery.list();
  const ready = topology.ready(useCase).topic;
  const all = await existingPartitions(cluster, [ready, ...discovery.topicsOf(useCase)]);
  const commits = await cluster.commits(cluster.names.group(useCase), all);
  const ends = await cluster.offsets(all, "latest");
  return ends.reduce((sum, end) => {
    const commit = commits.get(partitionKey(end));
    const committed = commit?.offset ?? (end.topic === ready ? 0 : registry.startOf(useCase, end));
    const done = commit === undefined ? 0 : readRuns(committed, commit.metadata).count;
    return sum + Math.max(end.offset - committed - done, 0);
  }, 0);
}
