import { randomBytes } from "node:crypto";
import { type Cluster, joined, startNodes } from "./cluster.ts";
import { type RabbitMqVersion, rabbitMqSpec } from "./rabbitmq.ts";
import { frontOf, startNode } from "./start.ts";

/**
 * A cluster of three RabbitMQ nodes: quorum queues have three replicas, and a node without another pauses.
 *
 * @param reached how clients reach it: at one address, as of a load balancer, or at the address of each node
 */
export async function rabbitMqCluster(
  version: RabbitMqVersion,
  reached: "at one address" | "at all addresses" = "at one address",
): Promise<Cluster> {
  const secret = randomBytes(15).toString("hex");
  const { nodes, network } = await startNodes(`a rabbitmq ${version} cluster`, 3, ({ id, network: { hosts }, site }) =>
    startNode(rabbitMqSpec(version, { id, hosts, secret }), site),
  );
  const front = frontOf(rabbitMqSpec(version), network.anyHost, network.port);
  const uri = (addresses: readonly string[]) => `amqp://guest:guest@${addresses.join(",")}`;
  return joined(nodes, { uri, ...(reached === "at one address" && { front }) }, () => network.close());
}
