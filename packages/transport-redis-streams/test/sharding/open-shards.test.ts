import type { Connection, ConnectOptions } from "@papa-events/core/transport";
import { redisStreams } from "@papa-events/transport-redis-streams";
import { expect, onTestFinished, test } from "vitest";
import { encoded } from "../support/events.ts";
import { declared, quiet, Space, silent } from "../support/space.ts";
import { until } from "../support/wait.ts";

async function connect(space: Space, shards?: number, options: Partial<ConnectOptions> = {}): Promise<Connection> {
  const url = `${space.url()}${shards === undefined ? "" : `&shards=${shards}`}`;
  const connection = await redisStreams(url).connect({ ...silent, ...options });
  onTestFinished(() => connection.close());
  return connection;
}

/** How many clients of the namespace's apps are connected, by the name of this test's. */
async function clientsOf(space: Space, name: string): Promise<number> {
  return String(await space.redis.client("LIST")).split(`name=${name}`).length - 1;
}

test("shards: one is the default, and nothing says so on the server", async () => {
  const space = new Space();
  const connection = await connect(space);
  await connection.declarations.declare([declared("uc", "x")]);
  await (await connect(space, 1)).close();
  expect(await space.redis.exists(space.key("shards"))).toBe(0);
  expect(await space.redis.keys(`*${space.prefix}/*`)).toEqual([]);
});

test("shards: who is not set to a number takes the namespace's, operators do so in any case", async () => {
  const space = new Space();
  await (await connect(space, 3)).declarations.declare([declared("uc", "x")]);
  const events = Array.from({ length: 60 }, (_, n) => encoded("x", n));
  expect(await (await connect(space)).publish(events)).toEqual([]);
  for (const operator of [
    await connect(space, undefined, { operator: true }),
    await connect(space, 5, { operator: true }),
  ])
    expect(await operator.inspect("uc")).toMatchObject({ ready: 60 });
  expect(await space.redis.xlen(space.key("queue:uc"))).toBeLessThan(40);
});

test("shards: another number than the namespace has is refused, and nothing stays open", async () => {
  const space = new Space();
  await connect(space, 3);
  const options = { appName: `refused-${space.prefix}` };
  await expect(connect(space, 2, options)).rejects.toMatchObject({ code: "topology-conflict" });
  await expect(connect(space, 1, options)).rejects.toThrow(/has 3 shards .* set to 1/);
  await until("nothing is open", async () => (await clientsOf(space, options.appName)) === 0);
});

test("shards: a namespace that is in use with one has one", async () => {
  const space = new Space();
  await (await connect(space)).declarations.declare([declared("uc", "x")]);
  await expect(connect(space, 3)).rejects.toMatchObject({ code: "topology-conflict" });
  expect(await space.redis.exists(space.key("shards"))).toBe(0);
});

test("L8 the number of shards is noted again when it or all there is was deleted, so that apps can be restarted", async () => {
  const space = new Space();
  const warnings: string[] = [];
  const logger = { ...quiet, warn: (_: unknown, message?: string) => void warnings.push(message ?? "") };
  await (await connect(space, 3, { logger })).declarations.declare([declared("uc", "x")]);
  for (const pattern of [space.key("shards"), `{papa-events:${space.prefix}*`]) {
    await space.redis.unlink(...(await space.redis.keys(pattern)));
    await until("it is noted", async () => (await space.redis.get(space.key("shards"))) === "3");
    await until("it is logged", () => warnings.splice(0).join().includes("made again"));
  }
  const restarted = await connect(space, 3);
  expect(await restarted.publish(Array.from({ length: 30 }, (_, n) => encoded("x", n)))).toEqual([]);
  expect(await (await connect(space)).inspect("uc")).toMatchObject({ ready: 30 });
});
