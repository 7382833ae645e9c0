import { conformance, proxied } from "@papa-events/conformance";
import {
  type KafkaVersion,
  kafka as kafkaBroker,
  kafkaCluster,
  testedVersions,
} from "@papa-events/conformance/brokers";
import { kafka } from "@papa-events/transport-kafka";
import type { Admin, IHeaders } from "kafkajs";
import { makeTopic, produceFrom, removeMembers, withAdmin } from "./support/admin.ts";
import { grant, grantsOfTheGuide, guardedBroker } from "./support/guarded-broker.ts";

/** Short, because tests of killed consumers wait for it. */
const SESSION_TIMEOUT_MS = 3_000;
/** Few, because there are many topics. */
const PARTITIONS = 2;

/** The version on which apps and operators have no more rights than the guide gives them. */
const LEAST_RIGHTS: KafkaVersion = "4.4";
/** Who they are there. */
const ACCOUNTS = {
  handles: grantsOfTheGuide("an app that handles"),
  acts: grantsOfTheGuide("an operator who acts"),
};
const USERS = Object.keys(ACCOUNTS).map((username) => ({ username, password: "secret" }));

interface Run {
  readonly version: KafkaVersion;
  readonly engine: "kafkajs" | "platformatic";
  readonly clustered?: boolean;
}

const runs: readonly Run[] = [
  ...testedVersions.kafka.map((version) => ({ version, engine: "kafkajs" as const })),
  // What differs is the library, not what a broker of another version makes of it.
  { version: "4.4", engine: "platformatic" },
  ...testedVersions.kafkaClusterSuite.map((version) => ({ version, engine: "kafkajs" as const, clustered: true })),
];

for (const { version, engine, clustered = false } of runs) {
  const limited = version === LEAST_RIGHTS && engine === "kafkajs" && !clustered;
  const as = (account: keyof typeof ACCOUNTS, uri: string) =>
    limited ? uri.replace(/\/\/.*@/, `//${account}:secret@`) : uri;
  const broker = proxied({
    name: "kafka",
    start: () => {
      if (clustered) return kafkaCluster(version);
      return limited ? guardedBroker(version, USERS) : kafkaBroker(version);
    },
    isWhole: ({ nodes }) => withAdmin(nodes[0]?.uri ?? "", hasAllReplicas).catch(() => false),
    transport: (address, namespace, operator, routes) => {
      // The address that a broker advertises would bypass the proxy.
      const route = (host: string, port: number) => {
        const only = clustered ? `${host}:${port}` : new URL(address).host;
        const at = new URL(`kafka://${routes[`${host}:${port}`] ?? only}`);
        return { host: at.hostname, port: Number(at.port) };
      };
      const uri = as(operator ? "acts" : "handles", address);
      const small = { sessionTimeout: SESSION_TIMEOUT_MS, partitions: PARTITIONS };
      return kafka({ uri, prefix: namespace, ...small, route, engine });
    },
  });
  const { clean: closeProxies, faults } = broker;
  /** For clients that take one address. */
  const uri = () => (broker.broker().nodes[0] ?? broker.broker()).uri;

  conformance({
    ...broker,
    name: "kafka",
    version: [version, engine === "kafkajs" ? [] : engine, clustered ? "cluster" : []].flat().join(" "),
    prepare: async (namespace) => {
      if (limited) await grant(uri(), namespace, ACCOUNTS);
    },
    clean: async (namespace) => {
      await closeProxies(namespace);
      // Each node has a copy of all, and opens it anew when it is restarted.
      if (clustered) await withAdmin(uri(), (admin) => removeTopics(admin, namespace)).catch(() => {});
    },
    // A restarted broker has the topics of all tests before to open again.
    patience: 45_000,
    faults: {
      ...faults,
      deletions: (namespace, useCase) => {
        const removal = (topic: string) => () =>
          withAdmin(uri(), (admin) => admin.deleteTopics({ topics: [topic], timeout: 10_000 }));
        return {
          "the topic of events": removal(`${namespace}.made`),
          "the topic of what is ready": removal(`${namespace}--ready-${useCase}`),
          "the topic of dead letters": removal(`${namespace}--dead-${useCase}`),
          "the topic of delays": removal(`${namespace}--delays`),
          "the registry": removal(`${namespace}--registry`),
        };
      },
      cancel: (namespace, useCase) => removeMembers(uri(), `${namespace}--use-case-${useCase}`),
    },
    outside: (namespace, { name, body, headers }) => {
      const [word = ""] = name.split(".");
      const all = { ce_type: name, ...(headers as IHeaders | undefined) };
      return produceFrom(uri(), `${namespace}.${word}`, { value: Buffer.from(body), headers: all });
    },
    outsideHeaders: {
      "x-bytes": Buffer.from([0, 255, 254, 128]),
      "x-twice": [Buffer.from("one"), Buffer.from("two")],
    },
    // A partition has one owner at a time.
    mostInstances: PARTITIONS,
    conflict: async (namespace, useCase) => {
      const topic = `${namespace}--dead-${useCase}`;
      await makeTopic(uri(), topic, { "cleanup.policy": "delete" });
      return topic;
    },
    refused: [
      {
        problem: "wrong port",
        transport: () => kafka({ uri: "kafka://user:not-the-secret@127.0.0.1:1", engine }),
        code: "connection-failed",
        names: "127.0.0.1",
        secret: "not-the-secret",
      },
      {
        problem: limited ? "wrong password" : "credentials for a broker that asks for none",
        transport: () => kafka({ uri: uri().replace(/\/\/(.*@)?/, "//user:not-the-secret@"), engine }),
        code: "access-refused",
        secret: "not-the-secret",
      },
    ],
    program: {
      module: import.meta.resolve("@papa-events/transport-kafka"),
      uri: (namespace) =>
        `${as("handles", broker.broker().uri)}?prefix=${namespace}&sessionTimeout=${SESSION_TIMEOUT_MS}&partitions=${PARTITIONS}&engine=${engine}`,
    },
    longestLease: SESSION_TIMEOUT_MS,
  });
}

async function removeTopics(admin: Admin, namespace: string): Promise<void> {
  const topics = await admin.listTopics();
  const own = topics.filter((topic) => topic.startsWith(`${namespace}.`) || topic.startsWith(`${namespace}--`));
  await admin.deleteTopics({ topics: own, timeout: 10_000 });
}

async function hasAllReplicas(admin: Admin): Promise<boolean> {
  const { topics } = await admin.fetchTopicMetadata();
  const partitions = topics.flatMap((topic) => topic.partitions);
  return partitions.every(({ isr, replicas }) => isr.length === replicas.length);
}
