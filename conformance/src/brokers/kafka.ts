import { randomBytes } from "node:crypto";
import type { BrokerSpec } from "./spec.ts";

/** The versions that tests run on. */
const VERSIONS = { "3.9": "3.9.1", "4.1": "4.1.0" } as const;

export type KafkaVersion = keyof typeof VERSIONS;

/** An ApiVersions request, version 0, with correlation id 1 and no client id. */
const API_VERSIONS = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);

export function kafkaSpec(version: KafkaVersion): BrokerSpec {
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
        // Kafka's ids are 22 characters of base64url; one that began with "-" would be taken for an option.
        const cluster = `K${randomBytes(16).toString("base64url").slice(1)}`;
        return {
          command: "java",
          args: ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", ...classes, "kafka.Kafka", file],
          files: {
            "server.properties": properties(`${folder}/data`, `127.0.0.1:${port}`, port, controller, "127.0.0.1"),
          },
          before: {
            command: "java",
            args: [...classes, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", file],
          },
        };
      },
    },
  };
}

/** One node that is broker and controller. */
function properties(data: string, advertised: string, port: number, controller: number, bind: string): string {
  return `${[
    "process.roles=broker,controller",
    "node.id=1",
    `controller.quorum.voters=1@127.0.0.1:${controller}`,
    `listeners=PLAINTEXT://${bind}:${port},CONTROLLER://127.0.0.1:${controller}`,
    `advertised.listeners=PLAINTEXT://${advertised}`,
    "controller.listener.names=CONTROLLER",
    "inter.broker.listener.name=PLAINTEXT",
    `log.dirs=${data}`,
    "offsets.topic.replication.factor=1",
    "offsets.topic.num.partitions=4",
    "transaction.state.log.replication.factor=1",
    "transaction.state.log.min.isr=1",
    "group.initial.rebalance.delay.ms=0",
    // Tests of killed consumers wait for their sessions to end.
    "group.min.session.timeout.ms=500",
  ].join("\n")}\n`;
}
