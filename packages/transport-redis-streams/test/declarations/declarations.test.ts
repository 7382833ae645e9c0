import { redis as startRedis } from "@papa-events/conformance/brokers";
import type { DeclarationRecord } from "@papa-events/core/transport";
import { expect, inject, onTestFinished, test } from "vitest";
import { encoded } from "../support/events.ts";
import { declared, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

/** Records in an order of their own, without their times. */
function withoutTimes(records: readonly DeclarationRecord[] | undefined) {
  return records
    ?.map(({ idle: _, patterns, ...rest }) => ({ ...rest, patterns: [...patterns].sort() }))
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

test("R6 each declaration is one record, with its id, its app and when it was last seen", async () => {
  const space = new Space();
  const shop = await space.connect({ appName: "shop with blanks" });
  const other = await space.connect({ appName: "other" });
  await shop.declarations.declare([declared("uc", "a.*", "b"), declared("second", "c")]);
  await other.declarations.declare([declared("uc", "b", "d")]);
  const began = Date.now();
  const records = await shop.declarations.list("uc");
  expect(withoutTimes(records)).toEqual([
    { useCase: "uc", id: "a.*+b", app: "shop with blanks", patterns: ["a.*", "b"] },
    { useCase: "uc", id: "b+d", app: "other", patterns: ["b", "d"] },
  ]);
  expect(await other.declarations.list()).toHaveLength(3);
  await until("time passes", () => Date.now() - began > 50);
  await other.declarations.declare([declared("uc", "b", "d")]);
  const idle = new Map((await shop.declarations.list("uc")).map((record) => [record.app, record.idle]));
  expect(idle.get("shop with blanks")).toBeGreaterThanOrEqual((idle.get("other") ?? 0) + 50);
});

test("R6 what the version before wrote is read still: patterns without an id and an app", async () => {
  const space = new Space();
  const { declarations } = await space.connect();
  await declarations.declare([declared("uc", "a")]);
  await space.redis.hset(space.key("bindings"), "uc old.*", Date.now() - 5_000, "second x", Date.now());
  const records = await declarations.list("uc");
  expect(withoutTimes(records)).toEqual([
    { useCase: "uc", id: "a", app: "test", patterns: ["a"] },
    { useCase: "uc", patterns: ["old.*"] },
  ]);
  const old = records.find(({ id }) => id === undefined);
  expect(old?.idle).toBeGreaterThan(4_000);
  // An instance of that version has declared what one of this version had before.
  await space.redis.hset(space.key("bindings"), "uc a", Date.now() + 1_000);
  await space.redis.hset(space.key("declarations"), "uc a test", `${Date.now() - 60_000} a`);
  expect(withoutTimes(await declarations.list("uc"))).toContainEqual({ useCase: "uc", patterns: ["a"] });
});

test("R6 what is withdrawn is neither bound nor listed, and what another declares stays", async () => {
  const space = new Space();
  const gone = await space.connect({ appName: "gone" });
  const { declarations, publish, inspect } = await space.connect().then((connection) => ({
    declarations: connection.declarations,
    publish: (name: string) => connection.publish([encoded(name, 1)]),
    inspect: () => connection.inspect("uc"),
  }));
  await gone.declarations.declare([declared("uc", "old", "both")]);
  const began = Date.now();
  await until("time passes", () => Date.now() - began > 2_000);
  await declarations.declare([declared("uc", "both", "new")]);
  await declarations.withdraw("uc", ["old", "both", "new"], 1_900);
  expect(withoutTimes(await declarations.list())).toEqual([
    { useCase: "uc", id: "both+new", app: "test", patterns: ["both", "new"] },
  ]);
  for (const name of ["old", "both", "new"]) expect(await publish(name)).toEqual([]);
  expect((await inspect()).ready).toBe(2);
});

test("R6 declarations that nobody has repeated for a week are forgotten when a new one comes", async () => {
  const space = new Space();
  const { declarations } = await space.connect();
  await declarations.declare([declared("uc", "a")]);
  const old = Date.now() - 8 * 86_400_000;
  await space.redis.hset(space.key("declarations"), "uc a renamed", `${old} a`, "uc2 a renamed", `${old} a`);
  await declarations.declare([declared("uc", "a")]);
  expect(await space.redis.hexists(space.key("declarations"), "uc a renamed")).toBe(1);
  await declarations.declare([declared("uc", "a", "b")]);
  expect((await space.redis.hkeys(space.key("declarations"))).sort()).toEqual([
    "uc a test",
    "uc a+b test",
    "uc2 a renamed",
  ]);
});

test("R6 repeating the declarations of a thousand use cases reads what is declared once, not once for each", async () => {
  const broker = await startRedis(inject("redisVersion"));
  onTestFinished(() => broker.stop());
  const space = new Space({ uri: broker.uri });
  const { declarations } = await space.connect();
  const all = Array.from({ length: 1_000 }, (_, n) => declared(`uc_${n}`, `name.${n}`));
  await declarations.declare(all);
  await space.redis.config("RESETSTAT");
  await declarations.declare(all);
  expect(await declarations.list()).toHaveLength(1_000);
  const stats = await space.redis.info("commandstats");
  const calls = (command: string) => Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
  expect(calls("hgetall") + calls("hscan") + calls("hkeys") + calls("hvals")).toBeLessThan(10);
});

test("L1 a declaration that is refused leaves nothing, of none of the use cases declared with it", async () => {
  const space = new Space();
  const { declarations } = await space.connect();
  await space.redis.set(space.key("queue:odd"), "something else");
  const both = [declared("fine", "x"), declared("odd", "x")];
  await expect(declarations.declare(both)).rejects.toMatchObject({ code: "topology-conflict" });
  expect(await space.redis.keys(space.key("*"))).toEqual([space.key("queue:odd")]);
});
