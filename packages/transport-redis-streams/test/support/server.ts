import { redis as startRedis } from "@papa-events/conformance/brokers";
import { Redis } from "ioredis";
import { inject, onTestFinished } from "vitest";

/** Starts a server of the test's own, which it may make a replica; it ends with the test. */
export async function server() {
  const broker = await startRedis(inject("redisVersion"));
  const client = new Redis(broker.uri);
  onTestFinished(async () => {
    client.disconnect();
    await broker.stop();
  });
  const { hostname: host, port } = new URL(broker.uri);
  return { client, at: { host, port: Number(port) } };
}
