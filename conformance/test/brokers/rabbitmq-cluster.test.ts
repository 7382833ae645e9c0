import assert from "node:assert/strict";
import { type ChannelModel, type ConfirmChannel, connect } from "amqplib";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type Cluster, rabbitMqCluster, testedVersions } from "../../src/brokers/index.ts";
import { until } from "../../src/rig/until.ts";

const QUEUE = "kept";
const PATIENCE = 60_000;
/** A node that has just come back may never confirm what it was sent too early. */
const CONFIRM_LIMIT_MS = 5_000;

describe.each(testedVersions.rabbitMqCluster)("a cluster of RabbitMQ %s", { timeout: 300_000 }, (version) => {
  let cluster: Cluster;
  let failed = true;

  beforeAll(async () => {
    cluster = await rabbitMqCluster(version);
  }, 600_000);

  afterAll(() => cluster?.stop(failed));

  test("has every event of a quorum queue on other nodes too: each is killed and restarted in turn", async () => {
    for (const [index, node] of cluster.nodes.entries()) {
      await published(cluster.uri, `before ${index}`);
      await node.kill();
      // Whoever is connected to another node sees nothing of it.
      await published(cluster.uri, `without ${index}`);
      await node.restart();
    }
    const bodies = await consumed(cluster.uri, 6);
    assert.deepEqual(bodies.sort(), ["before 0", "before 1", "before 2", "without 0", "without 1", "without 2"]);
  });

  test("goes on without a node that is cut off, which confirms nothing until it is back", async () => {
    const [alone, other] = cluster.nodes;
    assert(alone !== undefined && other !== undefined);
    await published(other.uri, "before");
    const { channel } = await opened(alone.uri);
    await alone.isolate();
    let confirmed = false;
    channel.sendToQueue(QUEUE, Buffer.from("unheard"), {}, (error) => {
      confirmed = error === null;
    });
    await published(other.uri, "meanwhile");
    assert.equal(confirmed, false);
    await alone.rejoin();
    await published(alone.uri, "after");
    const bodies = await consumed(other.uri, 3);
    for (const body of ["before", "meanwhile", "after"]) assert(bodies.includes(body), bodies.join());
    failed = false;
  });
});

async function opened(uri: string): Promise<{ model: ChannelModel; channel: ConfirmChannel }> {
  const model = await connect(uri);
  // Connections and channels are lost here on purpose.
  model.on("error", () => {});
  const channel = await model.createConfirmChannel();
  channel.on("error", () => {});
  await channel.assertQueue(QUEUE, { durable: true, arguments: { "x-queue-type": "quorum" } });
  return { model, channel };
}

/** Publishes until it is confirmed once: a queue whose leader is lost needs a moment for the next. */
async function published(uri: string, body: string): Promise<void> {
  await until(
    `"${body}" is confirmed`,
    async () => {
      try {
        const { model, channel } = await opened(uri);
        const confirmed = new Promise<boolean>((resolve) => {
          channel.sendToQueue(QUEUE, Buffer.from(body), {}, (error) => resolve(error === null));
          channel.once("close", () => resolve(false));
          setTimeout(() => resolve(false), CONFIRM_LIMIT_MS);
        });
        return await confirmed.finally(() => model.close().catch(() => {}));
      } catch {
        return false;
      }
    },
    PATIENCE,
  );
}

/** Takes what is there, each body once, until there are so many. */
async function consumed(uri: string, count: number): Promise<string[]> {
  const bodies = new Set<string>();
  const { model, channel } = await opened(uri);
  await channel.consume(QUEUE, (message) => {
    if (message === null) return;
    bodies.add(message.content.toString());
    channel.ack(message);
  });
  await until("all are there", () => bodies.size >= count, PATIENCE);
  await channel.close();
  await model.close();
  return [...bodies];
}
