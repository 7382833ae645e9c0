import assert from "node:assert/strict";
import { connect } from "node:net";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type Cluster, type ClusterNode, kafkaCluster, testedVersions } from "../../src/brokers/index.ts";
import { until } from "../../src/rig/until.ts";

const PATIENCE = 60_000;
const PARTITIONS = [0, 1, 2];

describe.each(testedVersions.kafkaCluster)("a cluster of Kafka %s", { timeout: 300_000 }, (version) => {
  let cluster: Cluster;
  let failed = true;

  beforeAll(async () => {
    cluster = await kafkaCluster(version);
    await lookedAt(cluster.nodes, async ({ admin }) => {
      await until("all brokers are known", async () => (await admin.describeCluster()).brokers.length === 3, PATIENCE);
      const topic = { topic: "kept", numPartitions: PARTITIONS.length, replicationFactor: 3 };
      await admin.createTopics({ waitForLeaders: false, topics: [topic] });
      await until("it has all copies", async () => (await inSync(admin)).join() === "3,3,3", PATIENCE);
    });
  }, 600_000);

  afterAll(() => cluster?.stop(failed));

  test("has three copies of a topic, goes on when a broker is killed, and takes it back", async () => {
    const [node] = cluster.nodes;
    assert(node !== undefined);
    await lookedAt(cluster.nodes, async ({ admin, send }) => {
      await send("before");
      await node.kill();
      await until("the others lead all partitions", () => leadWithout(admin, 1), PATIENCE);
      await send("without");
      await node.restart();
      await until("it has what it missed", async () => (await inSync(admin)).join() === "3,3,3", PATIENCE);
      // A send that was repeated may have stored one twice.
      let found: readonly number[] = [];
      const isAllThere = async () => (found = await ends(admin)).every((end) => end >= 2);
      await until(() => `all is there, of which there are ${found}`, isAllThere, PATIENCE);
    });
  });

  test("goes on without a broker that is cut off, which leads nothing until it is back", async () => {
    const [id = 0] = await lookedAt(cluster.nodes, ({ admin }) => leaders(admin));
    const node = cluster.nodes[id - 1];
    assert(node !== undefined);
    const others = cluster.nodes.filter((each) => each !== node);
    await node.isolate();
    // The one that is cut off still says what was true before.
    await lookedAt(others, async ({ admin, send }) => {
      await until("the others lead all partitions", () => leadWithout(admin, id), PATIENCE);
      await send("meanwhile");
      assert.equal((await inSync(admin)).join(), "2,2,2");
      await node.rejoin();
      await until("it has what it missed", async () => (await inSync(admin)).join() === "3,3,3", PATIENCE);
    });
    failed = false;
  });
});

interface View {
  readonly admin: Admin;
  /** Stores an event in each partition, on every broker that has complete copies. */
  readonly send: (value: string) => Promise<void>;
}

/** Looks at a cluster by way of some of its brokers only. */
async function lookedAt<T>(nodes: readonly ClusterNode[], look: (view: View) => Promise<T>): Promise<T> {
  const brokers = nodes.map(({ uri }) => new URL(uri).host);
  const client = new Kafka({
    brokers,
    logLevel: logLevel.NOTHING,
    requestTimeout: 5_000,
    retry: { retries: 20, maxRetryTime: 1_000 },
    // Nobody listens on port 1.
    socketFactory: ({ host, port, onConnect }) =>
      connect({ host, port: brokers.includes(`${host}:${port}`) ? port : 1 }, onConnect),
  });
  const admin = client.admin();
  const producer = client.producer({ metadataMaxAge: 1_000 });
  try {
    await admin.connect();
    await producer.connect();
    return await look({
      admin,
      send: async (value) => {
        const messages = PARTITIONS.map((partition) => ({ partition, value }));
        await producer.send({ topic: "kept", acks: -1, messages });
      },
    });
  } finally {
    await producer.disconnect();
    await admin.disconnect();
  }
}

/** None while the topic is not known everywhere. */
async function partitions(admin: Admin) {
  const { topics } = await admin.fetchTopicMetadata({ topics: ["kept"] }).catch(() => ({ topics: [] }));
  return topics[0]?.partitions ?? [];
}

async function leaders(admin: Admin): Promise<number[]> {
  return (await partitions(admin)).map(({ leader }) => leader);
}

async function leadWithout(admin: Admin, id: number): Promise<boolean> {
  const all = await leaders(admin);
  return all.length === PARTITIONS.length && !all.includes(id) && !all.includes(-1);
}

/** How many copies of each partition are complete. */
async function inSync(admin: Admin): Promise<number[]> {
  return (await partitions(admin)).map(({ isr }) => isr.length);
}

async function ends(admin: Admin): Promise<number[]> {
  return (await admin.fetchTopicOffsets("kept")).map(({ high }) => Number(high));
}
