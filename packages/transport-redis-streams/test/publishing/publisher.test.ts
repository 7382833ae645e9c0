import { startProxy, redis as startRedis } from "@papa-events/conformance/brokers";
import { isPapaError, PapaApp } from "@papa-events/core";
import type { Delivery } from "@papa-events/core/transport";
import { redisStreams } from "@papa-events/transport-redis-streams";
import { Redis } from "ioredis";
import { expect, inject, onTestFinished, test } from "vitest";
import { encoded } from "../support/events.ts";
import { declared, quiet, Space, silent } from "../support/space.ts";
import { until } from "../support/wait.ts";

/** A server of this test's own, to which a replica may be attached. */
async function startServer() {
  const broker = await startRedis(inject("redisVersion"));
  const client = new Redis(broker.uri);
  onTestFinished(async () => {
    client.disconnect();
    await broker.stop();
  });
  return { uri: broker.uri, client };
}

test("P1 with durability replicated, an event is published once a replica has it, and not before", async () => {
  const primary = await startServer();
  const warnings: string[] = [];
  const logger = { ...quiet, warn: (_: unknown, message?: string) => void warnings.push(message ?? "") };
  const transport = redisStreams({ uri: primary.uri, durability: "replicated" });
  const connection = await transport.connect({ ...silent, logger });
  onTestFinished(() => connection.close());
  expect(warnings.join()).toContain("No replica");
  expect(connection.capabilities.durability).toBe("replicas");
  await connection.declarations.declare([declared("uc", "x")]);
  const [unconfirmed] = await connection.publish([encoded("x", 1)]);
  expect(isPapaError(unconfirmed?.error) && unconfirmed.error.retryable).toBe(true);
  const replica = await startServer();
  const { hostname, port } = new URL(primary.uri);
  await replica.client.replicaof(hostname, Number(port));
  await until("the replica follows", async () => (await primary.client.info("replication")).includes("state=online"));
  expect(await connection.publish([encoded("x", 2)])).toEqual([]);
  expect(await replica.client.xlen("{papa-events}:queue:uc")).toBe(2);
});

test("P2 what a connection had stored when it was lost is not stored again", async () => {
  const space = new Space();
  const proxy = await space.proxy();
  const consumer = await space.connect();
  await consumer.declarations.declare([declared("uc", "x")]);
  const app = space.app({ address: proxy.uri, unwanted: "accept" });
  await app.start();
  const count = async () => (await consumer.inspect("uc")).ready;
  await app.newEvent("x", "first");
  proxy.loseReplies();
  const published = Promise.all(Array.from({ length: 500 }, (_, n) => app.newEvent("x", n)));
  await until("all are stored", async () => (await count()) === 501);
  proxy.cut();
  proxy.accept();
  await published;
  // What was never sent is sent now.
  await app.newEvent("x", "last");
  expect(await count()).toBe(502);
  expect(await space.redis.keys(space.key("calls:*"))).toHaveLength(1);
  await app.stop();
  expect(await space.redis.keys(space.key("calls:*"))).toEqual([]);
});

test("H3 while a publish waits for a replica, leases are renewed and settlements stored", async () => {
  const { uri } = await startServer();
  const transport = redisStreams({ uri, durability: "replicated", lease: 500 });
  const connect = async () => {
    const connection = await transport.connect(silent);
    onTestFinished(() => connection.close());
    return connection;
  };
  const [first, second] = [await connect(), await connect()];
  await first.declarations.declare([declared("uc", "x")]);
  const own: Delivery[] = [];
  await first.subscribe("uc", { readAhead: 2, declaration: "any" }, (delivery) => own.push(delivery));
  let waiting = true;
  const published = first.publish([encoded("x", 1), encoded("x", 2)]).finally(() => {
    waiting = false;
  });
  await until("they are out", () => own.length === 2);
  const others: Delivery[] = [];
  await second.subscribe("uc", { readAhead: 2, declaration: "any" }, (delivery) => others.push(delivery));
  expect(await own[0]?.settle({ kind: "done", outputs: [] })).toBe("stored");
  expect(waiting).toBe(true);
  // No replica: several leases long.
  expect(await published).toHaveLength(2);
  expect(others).toEqual([]);
  expect(own[1]?.lost).toBe(false);
});

test("P6 events that no replica has are stored once, however often they are sent again, and counted once one is there", async () => {
  const primary = await startServer();
  const transport = redisStreams({ uri: primary.uri, durability: "replicated" });
  const start = async (publishTimeout: number) => {
    const app = new PapaApp({ transport, logger: quiet, publishTimeout });
    onTestFinished(() => app.stop());
    await app.start();
    return app;
  };
  const queue = "{papa-events}:queue:uc";
  const consumer = await transport.connect(silent);
  onTestFinished(() => consumer.close());
  await consumer.declarations.declare([declared("uc", "x")]);
  const app = await start(6_000);
  const published = await Promise.allSettled(Array.from({ length: 300 }, (_, n) => app.newEvent("x", n)));
  expect(published.map(({ status }) => status)).not.toContain("fulfilled");
  expect(await primary.client.xlen(queue)).toBe(300);
  const patient = await start(50_000);
  const late = Array.from({ length: 20 }, (_, n) => patient.newEvent("x", n));
  await until("they are stored", async () => (await primary.client.xlen(queue)) === 320);
  const replica = await startServer();
  const { hostname, port } = new URL(primary.uri);
  await replica.client.replicaof(hostname, Number(port));
  await Promise.all(late);
  expect(await replica.client.xlen(queue)).toBe(320);
});

test("P6 an event that no replica had when the connection was lost is waited for on the next one, and not stored again", async () => {
  const { uri, client } = await startServer();
  const { hostname, port } = new URL(uri);
  const proxy = await startProxy(hostname, Number(port), (host, at) => `redis://${host}:${at}`);
  onTestFinished(() => proxy.close());
  const connection = await redisStreams({ uri: proxy.uri, durability: "replicated" }).connect(silent);
  onTestFinished(() => connection.close());
  await connection.declarations.declare([declared("uc", "x")]);
  const events = [encoded("x", 1), encoded("x", 2)];
  const length = () => client.xlen("{papa-events}:queue:uc");
  const first = connection.publish(events);
  await until("they are stored", async () => (await length()) === 2);
  // Their confirmation is waited for.
  proxy.cut();
  expect(await first).toHaveLength(2);
  await until("a replica is waited for again", async () => {
    const [unconfirmed] = await connection.publish(events);
    return String(unconfirmed?.error).includes("no replica");
  });
  expect(await length()).toBe(2);
});
