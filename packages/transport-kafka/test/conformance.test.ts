import { conformance, proxied } from "@papa-events/conformance";
import { type KafkaVersion, kafka as kafkaBroker, testedVersions } from "@papa-events/conformance/brokers";
import { kafka } from "@papa-events/transport-kafka";
import type { IHeaders } from "kafkajs";
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

const runs: readonly { readonly version: KafkaVersion; readonly engine: "kafkajs" | "platformatic" }[] = [
  ...testedVersions.kafka.map((version) => ({ version, engine: "kafkajs" as const })),
  // What differs is the library, not what a broker of another version makes of it.
  { version: "4.4", engine: "platformatic" },
];

for (const { version, engine } of runs) {
  const limited = version === LEAST_RIGHTS && engine === "kafkajs";
  const as = (account: keyof typeof ACCOUNTS, uri: string) =>
    limited ? uri.replace(/\/\/.*@/, `//${account}:secret@`) : uri;
  const broker = proxied({
    name: "kafka",
    start: () => (limited ? guardedBroker(version, USERS) : kafkaBroker(version)),
    transport: (address, namespace, operator) => {
      const { hostname: host, port } = new URL(address.replace("kafka:", "http:"));
      // The address that the broker advertises would bypass the proxy.
      const route = () => ({ host, port: Number(port) });
      const uri = as(operator ? "acts" : "handles", address);
      const small = { sessionTimeout: SESSION_TIMEOUT_MS, partitions: PARTITIONS };
      return kafka({ uri, prefix: namespace, ...small, route, engine });
    },
  });
  const { clean: closeProxies, faults } = broker;
  const uri = () => broker.broker().uri;

  conformance({
    ...broker,
    name: "kafka",
    version: engine === "kafkajs" ? version : `${version} ${engine}`,
    prepare: async (namespace) => {
      if (limited) await grant(uri(), namespace, ACCOUNTS);
    },
    clean: closeProxies,
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
        `${as("handles", uri())}?prefix=${namespace}&sessionTimeout=${SESSION_TIMEOUT_MS}&partitions=${PARTITIONS}&engine=${engine}`,
    },
    longestLease: SESSION_TIMEOUT_MS,
  });
}
