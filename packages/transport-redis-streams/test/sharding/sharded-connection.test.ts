import type { Connection, Delivery, StoredDeadLetter } from "@papa-events/core/transport";
import { redisStreams } from "@papa-events/transport-redis-streams";
import { expect, onTestFinished, test } from "vitest";
import { capabilities } from "../../src/capabilities.ts";
import type { ShardConnection } from "../../src/sharding/shard.ts";
import { ShardedConnection } from "../../src/sharding/sharded-connection.ts";
import { encoded } from "../support/events.ts";
import { declared, Space, silent } from "../support/space.ts";
import { until } from "../support/wait.ts";

async function connect(space: Space): Promise<Connection> {
  const connection = await redisStreams(`${space.url()}&shards=3`).connect(silent);
  onTestFinished(async () => {
    await connection.close();
    const keys = await space.redis.keys(`{papa-events:${space.prefix}/*`);
    if (keys.length > 0) await space.redis.unlink(...keys);
  });
  await connection.declarations.declare([declared("uc", "x")]);
  return connection;
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

test.each([1, 2, 4, 20])(
  "H9 at most %i deliveries are out on three shards together, and all are handled",
  async (limit) => {
    const space = new Space();
    const connection = await connect(space);
    let out = 0;
    let most = 0;
    const handled = new Set<string>();
    await connection.subscribe("uc", { readAhead: limit, declaration: "x" }, (delivery) => {
      out += 1;
      most = Math.max(most, out);
      setTimeout(() => {
        out -= 1;
        handled.add(String(delivery.event.text));
        void delivery.settle({ kind: "done", outputs: [] });
      }, 2);
    });
    await connection.publish(numbers(60).map((n) => encoded("x", n)));
    await until("all are handled", () => handled.size === 60);
    expect(most).toBeLessThanOrEqual(limit);
    const began = performance.now();
    await connection.publish([encoded("x", "alone")]);
    await until("one is handled soon", () => handled.size === 61);
    expect(performance.now() - began).toBeLessThan(3_000);
  },
);

test("R8 where one shard alone has events, it has all of the read-ahead", async () => {
  const space = new Space();
  const connection = await connect(space);
  const out: Delivery[] = [];
  await space.redis
    .multi(numbers(30).map((n) => ["xadd", space.key("queue:uc"), "*", "event", "x", "payload", `${n}`]))
    .exec();
  await connection.subscribe("uc", { readAhead: 20, declaration: "x" }, (delivery) => out.push(delivery));
  // All but what the other two set aside for a read of their own.
  await until("most are out", () => out.length >= 18);
  expect(out.length).toBeLessThanOrEqual(20);
});

test("H1 outputs stay on the shard of their event, with which they are one step", async () => {
  const space = new Space();
  const connection = await connect(space);
  await connection.declarations.declare([declared("sink", "out")]);
  await connection.publish(numbers(30).map((n) => encoded("x", n)));
  let settled = 0;
  await connection.subscribe("uc", { readAhead: 30, declaration: "x" }, async (delivery) => {
    await delivery.settle({ kind: "done", outputs: [encoded("out", delivery.event.text)] });
    settled += 1;
  });
  await until("all are handled", () => settled === 30);
  expect(await connection.inspect("sink")).toMatchObject({ ready: 30 });
  expect(connection.capabilities.atomicOutputs).toBe(true);
});

test("D2, D6 dead letters of all shards are one list, in the order in which they died", async () => {
  const space = new Space();
  const connection = await connect(space);
  let dead = 0;
  const subscription = await connection.subscribe("uc", { readAhead: 1, declaration: "x" }, async (delivery) => {
    const { text } = delivery.event;
    await delivery.settle({ kind: "dead", id: `d-${text}`, event: encoded("x", Number(text)) });
    dead += 1;
  });
  for (const n of numbers(40)) {
    await connection.publish([encoded("x", n)]);
    await until("it is dead", () => dead === n + 1);
  }
  await subscription.stop();
  const letters = connection.deadLetters("uc");
  const expected = numbers(40).map((n) => `d-${n}`);
  expect(await letters.count()).toBe(40);
  for (const order of ["oldest", "newest"] as const) {
    const listed: string[] = [];
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const page = await letters.list({ limit: 7, order, after });
      expect(page.items.length).toBeLessThanOrEqual(7);
      listed.push(...page.items.map(({ id }) => id));
      after = page.next;
    }
    const scanned: string[] = [];
    for await (const { id } of letters.scan(order)) scanned.push(id);
    const wanted = order === "oldest" ? expected : [...expected].reverse();
    expect(listed).toEqual(wanted);
    expect(scanned).toEqual(wanted);
  }
  await expect(letters.list({ limit: 1, order: "oldest", after: "1.2" })).rejects.toMatchObject({
    code: "invalid-option",
  });
  const revive = ({ event }: StoredDeadLetter) => encoded("x", Number(event.text));
  expect((await letters.get("d-7"))?.id).toBe("d-7");
  expect(await letters.get("d-70")).toBeUndefined();
  const told: object[] = [];
  const onProgress = (progress: object) => void told.push(progress);
  expect(await letters.redrive(["d-7", "d-8", "d-9", "gone"], revive)).toBe(3);
  expect(await letters.redrive(({ id }) => Number(id.slice(2)) < 20, revive, { onProgress })).toBe(17);
  expect(told.at(-1)).toEqual({ seen: 37, done: 17 });
  expect(await letters.purge("all", { onProgress })).toBe(20);
  expect(told.at(-1)).toEqual({ seen: 20, done: 20 });
  expect(await connection.inspect("uc")).toEqual({ ready: 20, inFlight: 0, waiting: 0, dead: 0 });
});

test("L4 a subscription that one shard refuses is none on the others, also where those take longer", async () => {
  const stopped: string[] = [];
  const shard = (subscribe: () => Promise<unknown>) => ({ capabilities, subscribe }) as unknown as ShardConnection;
  const opened = (name: string) => ({ stop: async () => void stopped.push(name) });
  const connection = new ShardedConnection([
    shard(async () => opened("first")),
    shard(() => Promise.reject(new Error("refused"))),
    shard(() => new Promise((resolve) => setTimeout(() => resolve(opened("late")), 20))),
  ]);
  const options = { readAhead: 1, declaration: "any" };
  await expect(connection.subscribe("uc", options, () => {})).rejects.toThrow("refused");
  expect(stopped.sort()).toEqual(["first", "late"]);
});
