import type { Cluster } from "../client/cluster.ts";

/** What a cluster has whose operator has set nothing. */
const UNSET = 1;

/**
 * How many replicas new topics have unless an app says otherwise: as many as the cluster's own default. Where that is one,
 * three, or as many as there are brokers. The number of brokers alone would depend on which of them are up right now.
 */
export async function defaultReplicas(cluster: Cluster): Promise<number> {
  const { nodes } = await cluster.retried(() => cluster.refresh([]));
  const [node] = nodes;
  return (node === undefined ? undefined : await configured(cluster, node)) ?? Math.max(1, Math.min(3, nodes.length));
}

async function configured(cluster: Cluster, node: number): Promise<number | undefined> {
  try {
    const configs = await cluster.client.describeConfigs("broker", [String(node)]);
    const replicas = Number(configs.get(String(node))?.["default.replication.factor"]);
    return replicas > UNSET ? replicas : undefined;
  } catch (error) {
    // The account may not be allowed to read settings.
    cluster.logger.debug({ err: error }, "The cluster's default replication factor could not be read.");
    return undefined;
  }
}
