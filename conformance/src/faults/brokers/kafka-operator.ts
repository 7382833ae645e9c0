import kafkajs, { type Admin, Kafka, logLevel } from "kafkajs";
import type { Broker } from "../../brokers/index.ts";
import { until } from "../../rig/until.ts";
import { USE_CASES } from "../workers/order.ts";
import type { Operator } from "./target.ts";

/** Node.js does not see this one among the names that a CommonJS module exports. */
const { TOPIC } = kafkajs.ConfigResourceTypes;
/** Where a setting comes from that is the topic's own. */
const OF_TOPIC = 1;
const SETTING = "min.insync.replicas";
/** How long a cluster may take to notice that a node is dead. */
const NOTICED_LIMIT_MS = 30_000;

/** Of one broker alone: it is never short of replicas, for no more are asked of a topic than it has. */
export const kafkaOperator: Operator = {
  objects: (broker, namespace) => {
    const removal = (topic: string) => () =>
      withAdmin(broker, (admin) => admin.deleteTopics({ topics: [topic], timeout: 10_000 }));
    return {
      "a topic of events": removal(`${namespace}.fault`),
      "a topic of what is ready": removal(`${namespace}--ready-${USE_CASES.handle}`),
      "a topic of dead letters": removal(`${namespace}--dead-${USE_CASES.handle}`),
      "the topic of delays": removal(`${namespace}--delays`),
      "the registry": removal(`${namespace}--registry`),
    };
  },
  isWhole: async (broker) => {
    if (broker.nodes.length === 0) return true;
    return withAdmin(broker, async (admin) => {
      const { topics } = await admin.fetchTopicMetadata();
      const partitions = topics.flatMap((topic) => topic.partitions);
      return partitions.every(({ isr, replicas }) => isr.length === replicas.length);
    }).catch(() => false);
  },
};

export const kafkaClusterOperator: Operator = {
  ...kafkaOperator,
  full: "fewer replicas are in sync than have to be",
  fill: async (broker, namespace) => {
    const node = broker.nodes.at(-1);
    if (node === undefined) throw new Error("a cluster without nodes");
    const before = await withAdmin(broker, async (admin) => {
      const settings = await settingsOf(admin, await topicsOf(admin, namespace));
      const all = String(broker.nodes.length);
      await setAll(
        admin,
        settings.map(({ topic, settings: own }) => ({ topic, settings: { ...own, [SETTING]: all } })),
      );
      return settings;
    });
    await node.kill();
    await until("a replica is missed", async () => !(await kafkaOperator.isWhole(broker)), NOTICED_LIMIT_MS);
    return async () => {
      await node.restart();
      await withAdmin(broker, (admin) => setAll(admin, before));
    };
  },
};

interface Settings {
  readonly topic: string;
  readonly settings: Readonly<Record<string, string>>;
}

async function topicsOf(admin: Admin, namespace: string): Promise<string[]> {
  const topics = await admin.listTopics();
  return topics.filter((topic) => topic.startsWith(`${namespace}.`) || topic.startsWith(`${namespace}--`));
}

async function settingsOf(admin: Admin, topics: readonly string[]): Promise<Settings[]> {
  const resources = topics.map((name) => ({ type: TOPIC, name }));
  const described = await admin.describeConfigs({ resources, includeSynonyms: false });
  return described.resources.map(({ resourceName, configEntries }) => {
    const own = configEntries.filter((entry) => Number(entry.configSource) === OF_TOPIC);
    const settings = own.map(({ configName, configValue }) => [configName, configValue] as const);
    return { topic: resourceName, settings: Object.fromEntries(settings) };
  });
}

/** Whatever is not named goes back to its default, so all are. */
async function setAll(admin: Admin, all: readonly Settings[]): Promise<void> {
  const resources = all.map(({ topic, settings }) => ({
    type: TOPIC,
    name: topic,
    configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
  }));
  await admin.alterConfigs({ validateOnly: false, resources });
}

async function withAdmin<T>(broker: Broker, act: (admin: Admin) => Promise<T>): Promise<T> {
  const brokers = (broker.nodes.length === 0 ? [broker] : broker.nodes).map(({ uri }) => new URL(uri).host);
  const admin = new Kafka({
    brokers,
    logLevel: logLevel.NOTHING,
    requestTimeout: 5_000,
    retry: { retries: 3 },
  }).admin();
  await admin.connect();
  try {
    return await act(admin);
  } finally {
    await admin.disconnect();
  }
}
