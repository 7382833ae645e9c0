import type { Delivery } from "@papa-events/core/transport";
import { expect, test } from "vitest";
import { encoded } from "../support/events.ts";
import { declared, quiet, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

/** Deletes all keys of the namespace, as FLUSHDB does, whose database other tests share. */
async function flush(space: Space): Promise<void> {
  await space.redis.unlink(...(await space.redis.keys(space.key("*"))));
}

/** Two apps with a use case each, and what they handle and log. */
async function twoApps(space: Space) {
  const handled: string[] = [];
  const warnings: string[] = [];
  const logger = { ...quiet, warn: (_: unknown, message?: string) => void warnings.push(message ?? "") };
  const apps = ["one", "two"].map((useCase) =>
    space.app({ logger, name: useCase }).onEvent("x.*", { useCase }, (n) => void handled.push(`${useCase} ${n}`)),
  );
  for (const app of apps) await app.start();
  return { apps, handled, warnings };
}

test("L8 a database that is flushed while apps run is noticed within 5 s, and all is made again", async () => {
  const space = new Space();
  const { apps, handled, warnings } = await twoApps(space);
  await apps[0]?.newEvent("x.y", 1);
  await until("both have it", () => handled.length === 2);
  const publisher = space.app();
  await publisher.start();
  await publisher.newEvent("x.y", 2);
  await until("both have it", () => handled.length === 4);
  await flush(space);
  const began = performance.now();
  await until("both are bound again", async () => (await space.redis.hlen(space.key("bindings"))) === 2);
  expect(performance.now() - began).toBeLessThan(5_000);
  await until("it is logged", () => warnings.some((warning) => warning.includes("made again")));
  await publisher.newEvent("x.y", 3);
  await until("both have it", () => handled.length === 6);
  expect(handled.slice(4).sort()).toEqual(["one 3", "two 3"]);
  // Leases were deleted with the rest: whoever tells of them does not blame the process alone.
  await until("it is told", () => warnings.some((warning) => warning.includes("lease")));
  expect(warnings.filter((warning) => !/deleted/.test(warning))).toEqual([]);
});

test("L8 bindings that are deleted are made again within 5 s, under a new version, with a log line", async () => {
  const space = new Space();
  const { apps, handled, warnings } = await twoApps(space);
  const publisher = space.app();
  await publisher.start();
  for (const args of [["one x.*"], ["one x.*", "two x.*"]] as const) {
    const before = await space.redis.get(space.key("version"));
    await space.redis.hdel(space.key("bindings"), ...args);
    const began = performance.now();
    await until("they are bound again", async () => (await space.redis.hlen(space.key("bindings"))) === 2);
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(await space.redis.get(space.key("version"))).not.toBe(before);
    await until("it is logged", () => warnings.splice(0).join().includes("made again"));
    handled.length = 0;
    await publisher.newEvent("x.y", 1);
    await until("both have it", () => handled.length === 2);
  }
  const before = await space.redis.get(space.key("version"));
  await space.redis.del(space.key("version"));
  await until("there is a new version", async () => (await space.redis.exists(space.key("version"))) === 1);
  expect(await space.redis.get(space.key("version"))).not.toBe(before);
  expect(apps).toHaveLength(2);
});

test("L8 an app that only publishes waits rather than confirm into nothing, once all was deleted", async () => {
  const space = new Space();
  const consumer = await space.connect();
  await consumer.declarations.declare([declared("uc", "x")]);
  const publisher = await space.connect();
  expect(await publisher.publish([encoded("x", 1)])).toEqual([]);
  await flush(space);
  const [unconfirmed] = await publisher.publish([encoded("x", 2)]);
  expect(unconfirmed?.error).toMatchObject({ code: "connection-failed", retryable: true });
  // An app with use cases declares them at once.
  expect(await consumer.publish([encoded("x", 3)])).toEqual([]);
  expect(await publisher.publish([encoded("x", 4)])).toEqual([]);
  expect((await consumer.inspect("uc")).ready).toBe(2);
});

test("L8 a consumer that is deleted with what it had, and deleted orders of what waits or is dead, cost no event", async () => {
  const space = new Space();
  const warnings: string[] = [];
  const logger = { ...quiet, warn: (_: unknown, message?: string) => void warnings.push(message ?? "") };
  const connection = await space.connect({ logger });
  await connection.declarations.declare([declared("uc", "x")]);
  const seen = new Map<string, Delivery>();
  const options = { readAhead: 500, declaration: "any" };
  await connection.subscribe("uc", options, (delivery) => void seen.set(delivery.event.body.toString(), delivery));
  await connection.publish([encoded("x", "waits"), encoded("x", "dies"), encoded("x", "dies too")]);
  await until("all are out", () => seen.size === 3);
  await seen.get('"waits"')?.settle({ kind: "retry", delay: 3_600_000, event: encoded("x", "back") });
  for (const body of ['"dies"', '"dies too"'])
    await seen.get(body)?.settle({ kind: "dead", id: body, event: encoded("x", body) });
  const deadLetters = async () => (await connection.deadLetters("uc").list({ limit: 10, order: "oldest" })).items;

  // In one step, so that the subscriber reads none of them.
  const many = Array.from({ length: 150 }, (_, n) => String(n));
  const commands = space.redis.multi();
  for (const n of many) commands.xadd(space.key("queue:uc"), "*", "e", `1 x\n{}\n${n}`);
  commands.xreadgroup("GROUP", "papa", "ghost", "COUNT", 500, "STREAMS", space.key("queue:uc"), ">");
  commands.xgroup("DELCONSUMER", space.key("queue:uc"), "papa", "ghost");
  commands.del(space.key("due:uc"), space.key("dead-order:uc"));
  await commands.exec();
  const began = performance.now();
  await until("all are out", () => many.every((n) => seen.has(n)) && seen.has('"back"'));
  expect(performance.now() - began).toBeLessThan(5_000);
  expect(seen.size).toBe(3 + 150 + 1);
  expect(Math.max(...[...seen.values()].map(({ redeliveries }) => redeliveries))).toBe(0);
  await until("it is logged", () => warnings.some((warning) => warning.includes("place again")));
  expect(await deadLetters()).toHaveLength(2);
  expect((await connection.inspect("uc")).inFlight).toBe(151);
});

test("H8 something else in place of a queue keeps no other from being made again, and is told of", async () => {
  const space = new Space();
  const problems: (string | undefined)[] = [];
  const onProblem = (subject: string, problem?: string) => void (subject === "topology" && problems.push(problem));
  const connection = await space.connect({ onProblem });
  await connection.declarations.declare([declared("odd", "x"), declared("fine", "x")]);
  await connection.subscribe("fine", { readAhead: 1, declaration: "any" }, () => {});
  await flush(space);
  await space.redis.set(space.key("queue:odd"), "something else");
  await until(
    "the other is bound again",
    async () => (await space.redis.hexists(space.key("bindings"), "fine x")) === 1,
  );
  await until("it is told", () => problems.some((problem) => problem?.includes("queue:odd")));
  // What one of them would not get is refused, and not confirmed.
  const [refused] = await connection.publish([encoded("x", 1)]);
  expect(refused?.error).toMatchObject({ code: "topology-conflict" });
  await space.redis.del(space.key("queue:odd"));
  await until("it is over", () => problems.at(-1) === undefined);
  expect(await connection.publish([encoded("x", 2)])).toEqual([]);
  expect((await connection.inspect("odd")).ready).toBe(1);
});

test("H8 something else in place of a queue keeps no other from being repeated, nor a lost connection from being back", async () => {
  const space = new Space();
  const statuses: boolean[] = [];
  const onStatus = ({ connected }: { readonly connected: boolean }) => void statuses.push(connected);
  const connection = await space.connect({ appName: space.prefix, onStatus });
  const both = [declared("odd", "odd"), declared("fine", "fine")];
  await connection.declarations.declare(both);
  const declaredAt = async () => Number(await space.redis.hget(space.key("bindings"), "fine fine"));
  const before = await declaredAt();
  await space.redis.del(space.key("queue:odd"));
  await space.redis.set(space.key("queue:odd"), "something else");
  await until("the other is repeated", async () => {
    await expect(connection.declarations.declare(both)).rejects.toMatchObject({ code: "topology-conflict" });
    return (await declaredAt()) > before;
  });
  const clients = String(await space.redis.client("LIST")).split("\n");
  const own = clients.find((line) => line.includes(`name=${space.prefix} `)) ?? "";
  await space.redis.client("KILL", "ID", Number(/\bid=(\d+)/.exec(own)?.[1]));
  await until("it is connected again", () => statuses.join() === "false,true");
  expect(await connection.publish([encoded("fine", 1)])).toEqual([]);
  expect((await connection.inspect("fine")).ready).toBe(1);
});
