import type { Connection, ReceivedEvent } from "@papa-events/core/transport";
import { expect, test } from "vitest";
import { encoded } from "../support/events.ts";
import { run } from "../support/processes.ts";
import { declared, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

/** Opens a tail, and collects what it shows. */
async function tailOf(connection: Connection, ...patterns: string[]) {
  const shown: string[] = [];
  const seen = { shown, dropped: 0, ended: [] as Error[], slow: undefined as undefined | (() => void) };
  const { administration } = connection;
  if (administration === undefined) throw new Error("no administration");
  const tail = await administration.tail(patterns, {
    onEvent: (event: ReceivedEvent) => {
      shown.push(`${event.name} ${event.text}`);
      seen.slow?.();
    },
    onDropped: (count) => {
      seen.dropped += count;
    },
    onEnd: (error) => void seen.ended.push(error),
  });
  return { ...tail, stop: () => tail.stop(), seen };
}

/** The keys that tails leave. */
async function keysOfTails(space: Space): Promise<readonly string[]> {
  return [...(await space.redis.keys(space.key("tail:*"))), ...(await space.redis.keys(space.key("tails")))];
}

async function streamsOfTails(space: Space): Promise<readonly string[]> {
  return (await space.redis.keys(space.key("tail:*"))).filter((key) => !key.endsWith(":state"));
}

test("tail shows what anyone publishes from then on, by publishers, handlers and other programs, and no use case notices", async () => {
  const space = new Space();
  const handled: unknown[] = [];
  const app = space.app().onEvent("user.created", { useCase: "uc" }, (payload) => {
    handled.push(payload);
    return [{ name: "mail.sent", payload: "by the handler" }];
  });
  await app.start();
  await app.newEvent("user.created", "before");
  const operator = await space.connect({ operator: true });
  const all = await tailOf(operator, "#");
  const users = await tailOf(operator, "user.*", "user.created");
  await app.newEvent("user.created", 1);
  await app.newEvent("nobody.wants", 2);
  await space.redis.xadd(space.key("inbox"), "*", "event", "user.deleted", "payload", "3");
  await until("all are shown", () => all.seen.shown.length === 4 && users.seen.shown.length === 2);
  expect(all.seen.shown.sort()).toEqual([
    'mail.sent "by the handler"',
    "nobody.wants 2",
    "user.created 1",
    "user.deleted 3",
  ]);
  expect(users.seen.shown.sort()).toEqual(["user.created 1", "user.deleted 3"]);
  await until("they are handled", () => handled.length === 2);
  await Promise.all([all.stop(), users.stop(), users.stop()]);
  expect(await keysOfTails(space)).toEqual([]);
  await app.newEvent("user.created", 4);
  expect(await keysOfTails(space)).toEqual([]);
  expect([all.seen.ended, all.seen.dropped, users.seen.shown.length]).toEqual([[], 0, 2]);
});

test("tail of a namespace in which nothing is declared leaves nothing, and what is declared later is declared", async () => {
  const space = new Space();
  const connection = await space.connect();
  expect(await connection.publish([encoded("x", 0)])).toEqual([]);
  const tail = await tailOf(connection, "#");
  expect(await space.redis.pttl(space.key("version"))).toBeGreaterThan(0);
  await until("publishers see it", async () => {
    await connection.publish([encoded("x", 1)]);
    return tail.seen.shown.length > 0;
  });
  await connection.declarations.declare([declared("uc", "x")]);
  expect(await space.redis.pttl(space.key("version"))).toBe(-1);
  await connection.publish([encoded("x", 2)]);
  expect(await connection.inspect("uc")).toMatchObject({ ready: 1 });
  await tail.stop();
  expect(await keysOfTails(space)).toEqual([]);
  const other = new Space();
  await (await tailOf(await other.connect(), "#")).stop();
  expect(await other.redis.keys(other.key("*"))).toEqual([]);
});

test("tail slows no publisher: what a slow reader has no room for is dropped, and counted", async () => {
  const space = new Space();
  const publisher = await space.connect();
  await publisher.declarations.declare([declared("uc", "x")]);
  const proxy = await space.proxy();
  const operator = await space.connect({ operator: true, address: proxy.uri });
  const tail = await tailOf(operator, "#");
  await publisher.publish([encoded("x", "first")]);
  await until("it is shown", () => tail.seen.shown.length === 1);
  proxy.stall();
  const text = "x".repeat(500_000);
  for (let n = 0; n < 40; n += 1) expect(await publisher.publish([encoded("x", text)])).toEqual([]);
  const [stream] = await streamsOfTails(space);
  expect(await space.redis.memory("USAGE", stream ?? "", "SAMPLES", 0)).toBeLessThan(10 * 1_048_576);
  proxy.flow();
  await until("what there was room for is shown, and the others are counted", () => {
    return tail.seen.shown.length + tail.seen.dropped === 41;
  });
  expect(tail.seen.dropped).toBeGreaterThan(10);
  await publisher.publish([encoded("x", "again")]);
  await until("there is room again", () => tail.seen.shown.at(-1) === 'x "again"');
  expect(await publisher.inspect("uc")).toMatchObject({ ready: 42 });
});

test("tail ends with its connection, and is told when somebody deletes it", async () => {
  const space = new Space();
  const proxy = await space.proxy();
  const cut = await tailOf(await space.connect({ operator: true, address: proxy.uri }), "#");
  const connection = await space.connect({ operator: true });
  const deleted = await tailOf(connection, "#");
  proxy.cut();
  await until("it is told", () => cut.seen.ended.length === 1);
  expect(cut.seen.ended[0]).toMatchObject({ code: "connection-failed" });
  await space.redis.unlink(...(await keysOfTails(space)));
  await until("it is told", () => deleted.seen.ended.length === 1);
  expect(deleted.seen.ended[0]?.message).toContain("forgotten the tail");
  const closed = await tailOf(connection, "#");
  await connection.close();
  expect(closed.seen.ended).toHaveLength(1);
  await until("the server keeps nothing", async () => (await keysOfTails(space)).length === 0);
});

test("tail of a killed process leaves nothing behind, and costs publishers nothing more", async () => {
  const space = new Space();
  const publisher = await space.connect();
  await publisher.declarations.declare([declared("uc", "x")]);
  const lines: string[] = [];
  const child = run("tailing-child.ts", [space.url()], lines);
  await until("it is open", () => lines.includes("open"));
  await publisher.publish([encoded("x", 1)]);
  await until("it is shown", () => lines.includes("shown 1"));
  child.kill("SIGKILL");
  const left = await keysOfTails(space);
  expect(left).toHaveLength(3);
  for (const key of left) {
    const time = await space.redis.pttl(key);
    expect(time).toBeGreaterThan(0);
    expect(time).toBeLessThanOrEqual(30_000);
  }
  // As if that time had passed. Someone else's tail keeps the list of all.
  const other = await tailOf(publisher, "none");
  const [id = ""] = (await space.redis.hkeys(space.key("tails"))).filter((each) => left.join().includes(each));
  await space.redis.unlink(...left.filter((key) => key.includes(id)));
  await space.redis.hset(space.key("tails"), id, "1 #");
  expect(await publisher.publish([encoded("x", 2)])).toEqual([]);
  await until("it is forgotten", async () => (await space.redis.hlen(space.key("tails"))) === 1);
  expect(await publisher.publish([encoded("x", 3)])).toEqual([]);
  expect(await keysOfTails(space)).toHaveLength(3);
  await other.stop();
  expect(await keysOfTails(space)).toEqual([]);
});

test("tail: fifty of them see all, and one that is broken on the server disturbs neither them nor the publisher", async () => {
  const space = new Space();
  const publisher = await space.connect();
  await publisher.declarations.declare([declared("uc", "x")]);
  const operator = await space.connect({ operator: true });
  const tails = await Promise.all(Array.from({ length: 50 }, () => tailOf(operator, "x")));
  const [stream = ""] = await streamsOfTails(space);
  await space.redis.del(stream);
  await space.redis.set(stream, "something else");
  for (let n = 0; n < 20; n += 1) expect(await publisher.publish([encoded("x", n)])).toEqual([]);
  await until("all others see all", () => tails.filter(({ seen }) => seen.shown.length === 20).length === 49);
  expect(await publisher.inspect("uc")).toMatchObject({ ready: 20 });
  await Promise.all(tails.map((tail) => tail.stop()));
  expect(await keysOfTails(space)).toEqual([]);
});
