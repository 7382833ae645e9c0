import assert from "node:assert/strict";
import { type ChannelModel, type ConfirmChannel, connect } from "amqplib";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type Broker, rabbitmq, testedVersions } from "../../src/brokers/index.ts";
import { until } from "../../src/rig/until.ts";

const PATIENCE = 20_000;

describe.each(testedVersions.rabbitmq)("a RabbitMQ %s for tests", (version) => {
  let broker: Broker;
  let failed = true;

  beforeAll(async () => {
    broker = await rabbitmq(version);
  }, 600_000);

  afterAll(() => broker?.stop(failed));

  test("is of the version that was asked for, takes and gives messages", async () => {
    const { model, channel } = await open(broker.uri);
    const properties = model.connection.serverProperties as { version?: string };
    assert(properties.version?.startsWith(`${version}.`), properties.version);
    await publish(channel, "first", 10);
    assert.equal((await consume(channel, "first", 10)).length, 10);
    await model.close();
  });

  test("keeps what was confirmed when it is killed and restarted", async () => {
    const { channel } = await open(broker.uri);
    await publish(channel, "kept", 50);
    // RabbitMQ saves the names of new quorum queues every half second only: one that is younger is empty after a kill.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await broker.kill();
    await assert.rejects(connect(broker.uri));
    await broker.restart();
    const again = await open(broker.uri);
    assert.equal((await consume(again.channel, "kept", 50)).length, 50);
    await again.model.close();
  });

  test("answers nothing while it is paused, and goes on after", async () => {
    const { model, channel } = await open(broker.uri);
    await channel.assertQueue("paused", { durable: true });
    await broker.pause();
    let answered = false;
    const asking = channel.checkQueue("paused").then(() => {
      answered = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(answered, false);
    await broker.resume();
    await asking;
    await model.close();
  });

  test("is reached through proxies that cut, refuse, stall and half open connections, and lose replies", async () => {
    const proxy = await broker.proxy();
    const { model, channel } = await open(proxy.uri);
    await publish(channel, "proxied", 5);
    let answered = false;
    proxy.stall();
    const asking = channel.checkQueue("proxied").then(() => {
      answered = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(answered, false);
    proxy.flow();
    await asking;
    let closed = false;
    model.on("close", () => {
      closed = true;
    });
    proxy.cut();
    await until("the client knows", () => closed, PATIENCE);
    proxy.refuse();
    await assert.rejects(connect(proxy.uri));
    proxy.accept();
    const again = await open(proxy.uri);
    let ended = false;
    again.model.on("close", () => {
      ended = true;
    });
    proxy.halfOpen();
    void again.channel.checkQueue("proxied").catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(ended, false);
    proxy.cut();
    await until("the client knows", () => ended, PATIENCE);
    const unheard = await open(proxy.uri);
    proxy.loseReplies();
    let confirmed = false;
    unheard.channel.sendToQueue("proxied", Buffer.from("5"), {}, (error) => {
      confirmed = error === null;
    });
    const direct = await open(broker.uri);
    assert.equal((await consume(direct.channel, "proxied", 6)).length, 6);
    assert.equal(confirmed, false);
    proxy.cut();
    await direct.model.close();
    failed = false;
  });
});

async function open(uri: string): Promise<{ model: ChannelModel; channel: ConfirmChannel }> {
  const model = await connect(uri);
  // Connections are lost here on purpose.
  model.on("error", () => {});
  const channel = await model.createConfirmChannel();
  channel.on("error", () => {});
  return { model, channel };
}

async function publish(channel: ConfirmChannel, queue: string, count: number): Promise<void> {
  await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
  for (let number = 0; number < count; number += 1) channel.sendToQueue(queue, Buffer.from(String(number)));
  await channel.waitForConfirms();
}

async function consume(channel: ConfirmChannel, queue: string, count: number): Promise<string[]> {
  const bodies: string[] = [];
  await channel.consume(queue, (message) => {
    if (message === null) return;
    bodies.push(message.content.toString());
    channel.ack(message);
  });
  await until("all are there", () => bodies.length >= count, PATIENCE);
  return bodies;
}
