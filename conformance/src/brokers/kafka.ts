import { randomBytes } from "node:crypto";
import { LOCAL } from "./net.ts";
import type { BrokerSpec } from "./spec.ts";

/** The versions that tests run on. */
const VERSIONS = { "3.9": "3.9.1", "4.1": "4.1.0", "4.4": "4.4.0" } as const;

export type KafkaVersion = keyof typeof VERSIONS;

/** An ApiVersions request, version 0, with correlation id 1 and no client id. */
const API_VERSIONS = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);

/** What the brokers of a cluster have in common, and which of them one is. */
export interface KafkaNode {
  /** From 1. */
  readonly id: number;
  readonly cluster: string;
  /** The address of each broker, in the order of their ids. All have the same ports. */
  readonly hosts: readonly string[];
}

const ALONE = { id: 1, hosts: [LOCAL] };

/** An id for a cluster: 22 characters of base64url; one that began with "-" would be taken for an option. */
export function clusterId(): string {
  return `K${randomBytes(16).toString("base64url").slice(1)}`;
}

/** A Kafka of one broker, or one broker of several. */
export function kafkaSpec(version: KafkaVersion, node?: KafkaNode): BrokerSpec {
  return {
    kind: "kafka",
    version,
    uri: (host, port) => `kafka://${host}:${port}`,
    hello: API_VERSIONS,
    // The correlation id comes back.
    serves: (answer) => answer.length >= 8 && answer.readInt32BE(4) === 1,
    docker: {
      image: `apache/kafka:${VERSIONS[version]}`,
      port: 9_092,
      files: (host, port) => ({
        "/mnt/shared/config/server.properties": properties(
          "/var/lib/kafka/data",
          `${host}:${port}`,
          9_092,
          9_093,
          ALONE,
          "0.0.0.0",
        ),
      }),
    },
    native: {
      from: "jars",
      artifact: "org.apache.kafka:kafka_2.13",
      version: VERSIONS[version],
      run: (folder, [port = 0, controller = 0], jars) => {
        const classes = ["-cp", `${jars}/*`];
        const file = `${folder}/server.properties`;
        const self = node ?? { ...ALONE, cluster: clusterId() };
        const host = self.hosts[self.id - 1] ?? "";
        return {
          command: "java",
          args: ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", ...classes, "kafka.Kafka", file],
          files: {
            "server.properties": properties(`${folder}/data`, `${host}:${port}`, port, controller, self, host),
          },
          before: {
            command: "java",
            args: [...classes, "kafka.tools.StorageTool", "format", "-t", self.cluster, "-c", file],
          },
        };
      },
    },
  };
}

/** One node that is broker and controller. */
function properties(
  data: string,
  advertised: string,
  port: number,
  controller: number,
  { id, hosts }: Omit<KafkaNode, "cluster">,
  bind: string,
): string {
  const copies = hosts.length;
  const voters = hosts.map((host, index) => `${index + 1}@${host}:${controller}`);
  return `${[
    "process.roles=broker,controller",
    `node.id=${id}`,
    `controller.quorum.voters=${voters.join(",")}`,
    `listeners=PLAINTEXT://${bind}:${port},CONTROLLER://${hosts[id - 1]}:${controller}`,
    `advertised.listeners=PLAINTEXT://${advertised}`,
    "controller.listener.names=CONTROLLER",
    "inter.broker.listener.name=PLAINTEXT",
    `log.dirs=${data}`,
    `default.replication.factor=${copies}`,
    `min.insync.replicas=${Math.min(2, copies)}`,
    `offsets.topic.replication.factor=${copies}`,
    "offsets.topic.num.partitions=4",
    `transaction.state.log.replication.factor=${copies}`,
    `transaction.state.log.min.isr=${Math.min(2, copies)}`,
    "group.initial.rebalance.delay.ms=0",
    // Tests of killed consumers wait for their sessions to end.
    "group.min.session.timeout.ms=500",
  ].join("\n")}\n`;
}
