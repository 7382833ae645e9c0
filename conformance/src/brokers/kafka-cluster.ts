import { type Cluster, joined, startNodes } from "./cluster.ts";
import { clusterId, type KafkaVersion, kafkaSpec } from "./kafka.ts";
import { startNode } from "./start.ts";

/** A cluster of three Kafka brokers, with three copies of everything and two of them in sync. */
export async function kafkaCluster(version: KafkaVersion): Promise<Cluster> {
  const cluster = clusterId();
  const { nodes, network } = await startNodes(`a kafka ${version} cluster`, 3, ({ id, network: { hosts }, site }) =>
    startNode(kafkaSpec(version, { id, cluster, hosts }), site),
  );
  return joined(nodes, { uri: (addresses) => `kafka://${addresses.join(",")}` }, () => network.close());
}
