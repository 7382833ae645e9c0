import { redis as startRedis } from "@papa-events/conformance/brokers";
import type { Connection, Finding } from "@papa-events/core/transport";
import { redisStreams } from "@papa-events/transport-redis-streams";
import { expect, inject, onTestFinished, test } from "vitest";
import { encoded } from "../support/events.ts";
import { declared, Space, silent } from "../support/space.ts";

/** What is found, as `<severity> <what>`. */
async function found(operator: Connection): Promise<readonly string[]> {
  const findings: readonly Finding[] = (await operator.administration?.diagnose()) ?? [];
  for (const { what, why, remedy } of findings) expect([what, why, remedy].every((text) => text.length > 0)).toBe(true);
  return findings.map(({ severity, what }) => `${severity} ${what}`);
}

/** A server of the test's own: others would notice its settings. */
async function ownServer(settings: Readonly<Record<string, string>>): Promise<Space> {
  const broker = await startRedis(inject("redisVersion"));
  onTestFinished(() => broker.stop());
  const space = new Space({ uri: broker.uri });
  for (const [name, value] of Object.entries(settings)) await space.redis.config("SET", name, value);
  return space;
}

test("diagnose finds nothing where nothing is wrong", async () => {
  const space = new Space();
  const app = space.app().onEvent("x", { useCase: "uc" }, () => {});
  await app.start();
  await app.newEvent("x", 1);
  expect(await found(await space.connect({ operator: true }))).toEqual([]);
});

test("diagnose tells of settings with which events are lost, and an operator can connect all the same", async () => {
  const space = await ownServer({
    "maxmemory-policy": "allkeys-lru",
    appendfsync: "no",
    "min-replicas-to-write": "2",
  });
  await expect(redisStreams(space.url()).connect(silent)).rejects.toMatchObject({ code: "unsupported-broker" });
  const texts = (await found(await space.connect({ operator: true }))).join("\n");
  expect(texts).toContain("error server");
  expect(texts).toMatch(/error .*maxmemory-policy allkeys-lru/);
  expect(texts).toMatch(/warning .*appendfsync no/);
  expect(texts).toMatch(/error .*0 replicas are connected, and min-replicas-to-write is 2/);
});

test("diagnose tells of a server that is nearly full", async () => {
  const space = await ownServer({});
  const used = Number(/used_memory:(\d+)/.exec(await space.redis.info("memory"))?.[1]);
  await space.redis.config("SET", "maxmemory", Math.round(used * 1.1));
  expect((await found(await space.connect({ operator: true }))).join("\n")).toMatch(/\d\d % of its memory is used/);
});

test("diagnose tells of use cases that stand still, are broken or left, and of what other programs did", async () => {
  const space = new Space();
  const { redis } = space;
  const app = await space.connect();
  await app.declarations.declare([
    ...["idle", "deleted", "broken", "expiring", "late", "suspect", "shared"].map((name) => declared(name, "x")),
    declared("paused", "x"),
  ]);
  await app.publish([encoded("x", 1)]);
  await app.administration?.pause("paused");
  await redis.del(space.key("queue:deleted"), space.key("queue:broken"));
  await redis.set(space.key("queue:broken"), "something else");
  await redis.pexpire(space.key("queue:expiring"), 3_600_000);
  await redis.zadd(space.key("due:late"), Date.now() - 60_000, "id");
  await redis.zadd(space.key("leases:late"), Date.now() + 60_000, "somebody");
  await redis.hset(space.key("trials:suspect"), "id", "1 trial");
  await redis.xgroup("CREATE", space.key("queue:shared"), "others", "0");
  await redis.hset(space.key("dead:forgotten"), "d", "1 x\n{}\n1");
  await redis.xadd(space.key("inbox"), "*", "event", "x", "payload", "1");
  await redis.xadd(space.key("inbox:refused"), "*", "payload", "1");
  const operator = await space.connect({ operator: true });
  const all = await found(operator);
  for (const what of [
    /^warning use case "idle": no instance handles its 1 events$/,
    /^warning use case "deleted": its queue .*:queue:deleted or the queue's group is missing$/,
    /^error key .*:queue:broken: it is a string and must be a stream$/,
    /^error key .*:queue:expiring: it expires$/,
    /^warning use case "late": a retry is late by \d+ s$/,
    /^warning use case "suspect": 1 of its events came back/,
    /^warning queue .*:queue:shared: another group/,
    /^warning keys of a use case "forgotten" that nothing is bound to: .*:dead:forgotten$/,
    /^warning inbox .*: 1 events of other programs are not forwarded$/,
    /^warning stream .*:inbox:refused: 1 entries$/,
  ])
    expect(all.filter((each) => what.test(each))).toHaveLength(1);
  expect(all.some((each) => each.includes('"paused": no instance'))).toBe(false);
});
