import { startProxy } from "@papa-events/conformance/brokers";
import { Redis } from "ioredis";
import { expect, inject, onTestFinished, test } from "vitest";
import { limitSilence } from "../../src/client/silence-limit.ts";
import { slowLine } from "../support/slow-line.ts";
import { Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

const LIMIT_MS = 1_500;

async function connect(uri: string): Promise<Redis> {
  const client = new Redis(uri, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on("error", () => {});
  limitSilence(client, LIMIT_MS);
  await client.connect();
  onTestFinished(() => client.disconnect());
  return client;
}

async function stallable() {
  const { hostname, port } = new URL(inject("redis"));
  const proxy = await startProxy(hostname, Number(port), (host, at) => `redis://${host}:${at}`);
  onTestFinished(() => proxy.close());
  return { proxy, client: await connect(proxy.uri) };
}

test("H9 a single large event gets through a slow line, though that takes longer than the server may be silent", async () => {
  const space = new Space();
  const client = await connect(await slowLine(space.uri, 8_000_000));
  const began = performance.now();
  expect(await client.set(space.key("large"), Buffer.alloc(40_000_000, 120))).toBe("OK");
  expect(performance.now() - began).toBeGreaterThan(2 * LIMIT_MS);
});

test("L3 a server that is silent ends the connection, also while others go on sending", async () => {
  const { proxy, client } = await stallable();
  let ended = false;
  client.once("close", () => {
    ended = true;
  });
  proxy.stall();
  const began = performance.now();
  const pings = setInterval(() => void client.ping().catch(() => {}), 50);
  onTestFinished(() => clearInterval(pings));
  await until("it is ended", () => ended);
  expect(performance.now() - began).toBeGreaterThan(LIMIT_MS * 0.8);
});

test("L3 a line that stands still in the middle of a large event ends the connection", async () => {
  const { proxy, client } = await stallable();
  proxy.stall();
  const began = performance.now();
  await expect(client.set("large", Buffer.alloc(40_000_000))).rejects.toThrow();
  expect(performance.now() - began).toBeGreaterThan(LIMIT_MS * 0.8);
});

test("L3 a connection with nothing to wait for stays", async () => {
  const { proxy, client } = await stallable();
  const end = performance.now() + 1.3 * LIMIT_MS;
  await until("time passes", () => performance.now() > end);
  expect(await client.ping()).toBe("PONG");
  expect(proxy.connections).toBe(1);
});
