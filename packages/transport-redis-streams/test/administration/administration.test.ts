import type { Delivery } from "@papa-events/core/transport";
import { expect, test } from "vitest";
import { encoded } from "../support/events.ts";
import { declared, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("R9 a namespace knows its use cases when nobody runs them, also those of earlier versions and without a pattern", async () => {
  const space = new Space();
  const app = await space.connect();
  await app.declarations.declare([declared("b", "x", "y"), declared("a", "x"), declared("unbound", "x")]);
  await app.publish([encoded("x", 1)]);
  await app.declarations.withdraw("unbound", ["x"], 0);
  await app.close();
  await space.redis.hset(space.key("bindings"), "earlier x", "1");
  const operator = await space.connect({ operator: true });
  expect(await operator.administration?.useCases()).toEqual(["a", "b", "earlier", "unbound"]);
  expect((await operator.declarations.list("b"))[0]).toMatchObject({ useCase: "b", app: "test", patterns: ["x", "y"] });
});

test("R9 a removed use case is known as long as it has dead letters", async () => {
  const space = new Space();
  const operator = await space.connect({ operator: true });
  await (await space.connect()).declarations.declare([declared("uc", "x")]);
  await space.redis.hset(space.key("dead:uc"), "d", "1 x\n{}\n1");
  await space.redis.zadd(space.key("dead-order:uc"), 1, "d");
  expect(await operator.administration?.remove("uc", "keep")).toBe(true);
  expect(await operator.administration?.useCases()).toEqual(["uc"]);
  expect(await operator.deadLetters("uc").purge("all")).toBe(1);
  expect(await operator.administration?.useCases()).toEqual([]);
});

test("L6 paused: a pause is kept until it is undone, whatever is declared and withdrawn", async () => {
  const space = new Space();
  const operator = await space.connect({ operator: true });
  await operator.administration?.pause("uc");
  const since = await space.redis.hget(space.key("paused"), "uc");
  await operator.administration?.pause("uc");
  expect(await space.redis.hget(space.key("paused"), "uc")).toBe(since);
  const app = await space.connect();
  await app.declarations.declare([declared("uc", "x")]);
  await app.declarations.withdraw("uc", ["x"], 0);
  expect(await app.administration?.paused()).toEqual(["uc"]);
  await operator.administration?.resume("uc");
  await operator.administration?.resume("uc");
  expect(await app.administration?.paused()).toEqual([]);
});

test("L4 an operator's connection makes nothing on the server", async () => {
  const space = new Space();
  const { administration, declarations } = await space.connect({ operator: true });
  expect(await administration?.useCases()).toEqual([]);
  expect(await administration?.paused()).toEqual([]);
  expect(await declarations.list()).toEqual([]);
  expect((await administration?.diagnose())?.filter(({ severity }) => severity !== "info")).toEqual([]);
  expect(await space.redis.keys(space.key("*"))).toEqual([]);
});

test("L6 paused: a use case is subscribed, stopped and subscribed again, many times, while its events are handled", async () => {
  const space = new Space();
  const connection = await space.connect();
  await connection.declarations.declare([declared("uc", "x")]);
  const handled: string[] = [];
  const open: Delivery[] = [];
  let begun = 0;
  const onDelivery = (delivery: Delivery) => {
    begun += 1;
    open.push(delivery);
  };
  const settle = async () => {
    for (const delivery of open.splice(0)) {
      if ((await delivery.settle({ kind: "done", outputs: [] })) === "stored")
        handled.push(String(delivery.event.text));
    }
  };
  for (let round = 0; round < 12; round += 1) {
    const before = begun;
    const subscription = await connection.subscribe("uc", { readAhead: 5, declaration: "x" }, onDelivery);
    await connection.publish(Array.from({ length: 10 }, (_, n) => encoded("x", round * 10 + n)));
    await until("some are begun", () => begun > before);
    // Some are unsettled when it stops, and are settled after the next one has begun.
    if (round % 2 === 0) await settle();
    await subscription.stop();
    const atStop = begun;
    await connection.publish([encoded("x", 1_000 + round)]);
    expect(begun).toBe(atStop);
  }
  const last = await connection.subscribe("uc", { readAhead: 20, declaration: "x" }, onDelivery);
  await until("all are handled", async () => {
    await settle();
    return handled.length >= 132;
  });
  expect(new Set(handled).size).toBe(132);
  expect(handled).toHaveLength(132);
  await until("only one consumer is left", async () => {
    const consumers = (await space.redis.xinfo("CONSUMERS", space.key("queue:uc"), "papa")) as string[][];
    return consumers.filter((each) => each[1] !== "released").length === 1;
  });
  await last.stop();
  await until("the server keeps nothing of it", async () => (await space.redis.zcard(space.key("leases:uc"))) <= 1);
  expect(await connection.inspect("uc")).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
});

test("L6 paused: what is unsettled at a stop is settled after a lost connection, and what came too late goes to the next", async () => {
  const space = new Space();
  const proxy = await space.proxy();
  let connected = true;
  const connection = await space.connect({
    address: proxy.uri,
    onStatus: (status) => {
      connected = status.connected;
    },
  });
  await connection.declarations.declare([declared("uc", "x")]);
  const first: Delivery[] = [];
  const subscription = await connection.subscribe("uc", { readAhead: 2, declaration: "x" }, (each) => first.push(each));
  await connection.publish([encoded("x", 1), encoded("x", 2)]);
  await until("both are out", () => first.length === 2);
  await subscription.stop();
  proxy.cut();
  await until("the connection is lost", () => !connected);
  const settled = first.map((delivery, n) =>
    delivery.settle(n === 0 ? { kind: "done", outputs: [] } : { kind: "release" }),
  );
  await until("it is back", () => connected);
  expect(await Promise.all(settled)).toEqual(["stored", "stored"]);
  const second: Delivery[] = [];
  await connection.subscribe("uc", { readAhead: 2, declaration: "x" }, (each) => second.push(each));
  await until("the released one comes again", () => second.length === 1);
  expect(second[0]).toMatchObject({ attempt: 1, redeliveries: 0 });
  expect(await second[0]?.settle({ kind: "done", outputs: [] })).toBe("stored");
  expect(await space.redis.xlen(space.key("queue:uc"))).toBe(0);
});

test("R9 who runs a removed use case is told once, and can neither declare nor subscribe it; a new connection can", async () => {
  const space = new Space();
  const problems: (readonly [string, string | undefined])[] = [];
  const errors: string[] = [];
  const connection = await space.connect({
    onProblem: (subject, problem) => void problems.push([subject, problem]),
    logger: {
      debug() {},
      info() {},
      warn() {},
      error: (_: unknown, message?: string) => void errors.push(String(message)),
    },
  });
  await connection.declarations.declare([declared("uc", "x"), declared("other", "x")]);
  const deliveries: Delivery[] = [];
  await connection.subscribe("uc", { readAhead: 5, declaration: "x" }, (delivery) => deliveries.push(delivery));
  await connection.publish([encoded("x", 1)]);
  await until("it is out", () => deliveries.length === 1);
  const operator = await space.connect({ operator: true });
  expect(await operator.administration?.remove("uc", "purge")).toBe(true);
  await until("it is told", () => errors.length > 0);
  expect(errors).toEqual([
    'Use case "uc" was removed by an operator; this app stops handling it. Restart the app to declare it anew.',
  ]);
  expect(problems.filter(([subject]) => subject === 'consuming "uc"').at(-1)?.[1]).toBe(errors[0]);
  expect(deliveries[0]?.lost).toBe(true);
  expect(await deliveries[0]?.settle({ kind: "done", outputs: [] })).toBe("lost");
  await connection.declarations.declare([declared("uc", "x"), declared("other", "x")]);
  expect((await space.redis.keys(space.key("*:uc"))).sort()).toEqual([]);
  await expect(connection.subscribe("uc", { readAhead: 5, declaration: "x" }, () => {})).rejects.toMatchObject({
    code: "unknown-use-case",
  });
  const restarted = await space.connect();
  await restarted.declarations.declare([declared("uc", "x")]);
  await restarted.publish([encoded("x", 2)]);
  expect(await restarted.inspect("uc")).toMatchObject({ ready: 1 });
  expect(errors).toHaveLength(1);
});
