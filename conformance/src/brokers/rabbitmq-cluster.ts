import { randomBytes } from "node:crypto";
import { type Cluster, joined, startNodes } from "./cluster.ts";
import { type RabbitMqVersion, rabbitMqSpec } from "./rabbitmq.ts";
import { frontOf, startNode } from "./start.ts";

/** A cluster of three RabbitMQ nodes: quorum queues have three replicas, and a node without another pauses. */
export async function rabbitMqCluster(version: RabbitMqVersion): Promise<Cluster> {
  const secret = randomBytes(15).toString("hex");
  const { nodes, network } = await startNodes(`a rabbitmq ${version} cluster`, 3, ({ id, network: { hosts }, site }) =>
    startNode(rabbitMqSpec(version, { id, hosts, secret }), site),
  );
  // A client takes one address, as of a load balancer.
  const front = frontOf(rabbitMqSpec(version), network.anyHost, network.port);
  const uri = () => front.uri;
  return joined(nodes, { uri, front }, () => network.close());
}
