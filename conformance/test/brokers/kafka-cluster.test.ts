import assert from "node:assert/strict";
import { type Admin, Kafka, logLevel, type Producer } from "kafkajs";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type Cluster, kafkaCluster, testedVersions } from "../../src/brokers/index.ts";
import { until } from "../../src/rig/until.ts";

const PATIENCE = 60_000;
const PARTITIONS = [0, 1, 2];

describe.each(testedVersions.kafkaCluster)("a cluster of Kafka %s", { timeout: 300_000 }, (version) => {
  let cluster: Cluster;
  let admin: Admin;
  let producer: Producer;
  let failed = true;

  beforeAll(async () => {
    cluster = await kafkaCluster(version);
    const brokers = cluster.nodes.map(({ uri }) => new URL(uri).host);
    const client = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 20, maxRetryTime: 1_000 } });
    admin = client.admin();
    producer = client.producer();
    await admin.connect();
    await producer.connect();
    await until("all brokers are known", async () => (await admin.describeCluster()).brokers.length === 3, PATIENCE);
    await admin.createTopics({
      waitForLeaders: true,
      topics: [{ topic: "kept", numPartitions: PARTITIONS.length, replicationFactor: 3 }],
    });
  }, 600_000);

  afterAll(async () => {
    await producer?.disconnect();
    await admin?.disconnect();
    await cluster?.stop(failed);
  });

  test("has three copies of a topic, goes on when a broker is killed, and takes it back", async () => {
    const [node] = cluster.nodes;
    assert(node !== undefined);
    await sent(producer, "before");
    await node.kill();
    await until("the others lead all partitions", async () => !(await leaders(admin)).includes(1), PATIENCE);
    await sent(producer, "without");
    await node.restart();
    await until("it has what it missed", async () => (await inSync(admin)).every((count) => count === 3), PATIENCE);
    assert.deepEqual(await ends(admin), ["2", "2", "2"]);
  });

  test("goes on without a broker that is cut off, which leads nothing until it is back", async () => {
    const [id = 0] = await leaders(admin);
    const node = cluster.nodes[id - 1];
    assert(node !== undefined);
    await node.isolate();
    await until("the others lead all partitions", async () => !(await leaders(admin)).includes(id), PATIENCE);
    await sent(producer, "meanwhile");
    assert((await inSync(admin)).every((count) => count === 2));
    await node.rejoin();
    await until("it has what it missed", async () => (await inSync(admin)).every((count) => count === 3), PATIENCE);
    failed = false;
  });
});

/** One event to each partition, stored on most brokers. */
async function sent(producer: Producer, value: string): Promise<void> {
  await producer.send({ topic: "kept", acks: -1, messages: PARTITIONS.map((partition) => ({ partition, value })) });
}

async function partitions(admin: Admin) {
  const { topics } = await admin.fetchTopicMetadata({ topics: ["kept"] });
  return topics[0]?.partitions ?? [];
}

async function leaders(admin: Admin): Promise<number[]> {
  return (await partitions(admin)).map(({ leader }) => leader);
}

/** How many copies of each partition are complete. */
async function inSync(admin: Admin): Promise<number[]> {
  return (await partitions(admin)).map(({ isr }) => isr.length);
}

async function ends(admin: Admin): Promise<string[]> {
  return (await admin.fetchTopicOffsets("kept")).map(({ high }) => high);
}
