import type { Delivery } from "@papa-events/core/transport";
import { expect, test } from "vitest";
import { encoded } from "../support/events.ts";
import { Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("H1 entries whose reply was lost are read back, once, with no crash counted", async () => {
  const space = new Space({ lease: 60_000 });
  const proxy = await space.proxy();
  const publisher = await space.connect();
  await publisher.declare([{ name: "uc", patterns: ["x"] }]);
  const deliveries: Delivery[] = [];
  const consumer = await space.connect(proxy.uri);
  await consumer.subscribe("uc", 100, (delivery) => deliveries.push(delivery));
  await publisher.publish([encoded("x", 0)]);
  await until("it consumes", () => deliveries.length === 1);
  await until("its reader waits", async () => String(await space.redis.client("LIST")).includes("cmd=xreadgroup"));
  // The reader's read is with the server by now; its answer is not let through.
  proxy.stall();
  await publisher.publish(Array.from({ length: 20 }, (_, n) => encoded("x", n + 1)));
  await until("the server has handed them out", async () => (await publisher.inspect("uc")).inFlight === 21);
  proxy.cut();
  proxy.flow();
  await until("all have arrived", () => deliveries.length === 21);
  expect(new Set(deliveries.map(({ event }) => event.body.toString())).size).toBe(21);
  expect(deliveries.every(({ crashes }) => crashes === 0)).toBe(true);
  await Promise.all(deliveries.map((delivery) => delivery.settle({ kind: "done", outputs: [] })));
  expect(await publisher.inspect("uc")).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
});

test("H1 a settlement whose reply was lost is sent again and applied once", async () => {
  const space = new Space({ lease: 60_000 });
  const proxy = await space.proxy();
  const publisher = await space.connect();
  await publisher.declare([
    { name: "uc", patterns: ["x"] },
    { name: "sink", patterns: ["out"] },
  ]);
  const deliveries: Delivery[] = [];
  const consumer = await space.connect(proxy.uri);
  await consumer.subscribe("uc", 200, (delivery) => deliveries.push(delivery));
  for (let round = 1; round <= 10; round += 1) {
    await publisher.publish(Array.from({ length: 20 }, (_, n) => encoded("x", n)));
    await until("they are out", () => deliveries.length === 20);
    const settling = deliveries.splice(0).map((delivery, n) => {
      if (n % 4 === 0) return delivery.settle({ kind: "dead", id: `${round}-${n}`, event: encoded("x", n) });
      if (n % 4 === 1) return delivery.settle({ kind: "retry", delay: 3_600_000, event: encoded("x", n) });
      return delivery.settle({ kind: "done", outputs: [encoded("out", n)] });
    });
    await new Promise((resolve) => setImmediate(resolve));
    proxy.cut();
    await Promise.all(settling);
    expect(await publisher.inspect("uc")).toEqual({ ready: 0, inFlight: 0, waiting: round * 5, dead: round * 5 });
    expect((await publisher.inspect("sink")).ready).toBe(round * 10);
  }
});

test("L3 SCRIPT FLUSH and killed connections lose nothing", async () => {
  const space = new Space();
  const handled: number[] = [];
  const outs: unknown[] = [];
  const app = space.app({ retryDelay: 20, retries: 1 });
  app.onEvent("x", { useCase: "uc" }, (n, { attempt }) => {
    if (attempt === 1 && (n as number) % 10 === 0) throw new Error("once");
    handled.push(n as number);
    return { name: "out", payload: n };
  });
  app.onEvent("out", { useCase: "sink" }, (n) => void outs.push(n));
  await app.start();
  const publisher = space.app({ name: "publisher" });
  await publisher.start();
  const all: Promise<unknown>[] = [];
  for (let round = 0; round < 20; round += 1) {
    all.push(publisher.newEvents(Array.from({ length: 50 }, (_, n) => ({ name: "x", payload: round * 50 + n }))));
    if (round % 2 === 0) await space.redis.script("FLUSH");
    const clients = String(await space.redis.client("LIST")).split("\n");
    const victims = clients.filter((line) => line.includes("name=test:uc") || line.includes("name=publisher"));
    const victim = victims[round % Math.max(victims.length, 1)];
    const id = /\bid=(\d+)/.exec(victim ?? "")?.[1];
    if (id !== undefined) await space.redis.client("KILL", "ID", id);
  }
  await Promise.all(all);
  await until("all are handled", () => new Set(handled).size === 1_000 && new Set(outs).size === 1_000);
  await until("nothing is left", async () => {
    const stats = await app.stats();
    return Object.values(stats).every(({ ready, inFlight, waiting, dead }) => ready + inFlight + waiting + dead === 0);
  });
  // The outputs and the acknowledgement are one step: each handled delivery has exactly one.
  expect(outs.length).toBe(handled.length);
});

test("T2 three apps promote many due retries together: none early, none twice", async () => {
  const space = new Space();
  const count = 10_000;
  const delay = 3_000;
  const failed = new Map<number, number>();
  const again = new Map<number, number[]>();
  const apps = [1, 2, 3].map(() =>
    space.app({ concurrency: 200 }).onEvent("x", { useCase: "uc", retries: 1, retryDelay: delay }, (payload, ctx) => {
      const n = payload as number;
      if (ctx.attempt === 1) {
        failed.set(n, performance.now());
        throw new Error("once");
      }
      again.set(n, [...(again.get(n) ?? []), performance.now() - (failed.get(n) ?? 0)]);
    }),
  );
  await Promise.all(apps.map((app) => app.start()));
  await apps[0]?.newEvents(Array.from({ length: count }, (_, n) => ({ name: "x", payload: n })));
  await until("all have come back", () => again.size === count, 40_000);
  await until("nothing is left", async () => {
    const stats = (await apps[0]?.stats())?.uc;
    return stats !== undefined && stats.ready + stats.inFlight + stats.waiting === 0;
  });
  const times = [...again.values()];
  expect(times.filter((each) => each.length > 1)).toEqual([]);
  expect(Math.min(...times.flat())).toBeGreaterThanOrEqual(delay);
});

test("P1 the events of one use case and its memory leave the server when they are done", async () => {
  const space = new Space();
  let fail = true;
  const app = space.app({ concurrency: 100, retryDelay: 10, retries: 1 });
  let handled = 0;
  app.onEvent("x.*", { useCase: "uc" }, (n) => {
    if (fail && (n as number) % 5 === 0) throw new Error("ill");
    handled += 1;
  });
  await app.start();
  const memory = async () => {
    const keys = await space.redis.keys(space.key("*"));
    const sizes = await Promise.all(keys.map((key) => space.redis.memory("USAGE", key, "SAMPLES", 0)));
    return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  };
  const baseline = await memory();
  for (let round = 0; round < 4; round += 1)
    await app.newEvents(Array.from({ length: 1_000 }, (_, n) => ({ name: "x.y", payload: n })));
  const letters = app.deadLetters("uc");
  await until("a fifth is dead", async () => handled === 3_200 && (await letters.count()) === 800);
  fail = false;
  expect(await letters.redrive("all")).toBe(800);
  await until("all are handled", () => handled === 4_000);
  await until("nothing is left", async () => {
    const stats = (await app.stats()).uc;
    return stats !== undefined && stats.ready + stats.inFlight + stats.waiting + stats.dead === 0;
  });
  expect(await memory()).toBeLessThan(baseline + 4_096);
  await app.stop();
  const left = (await space.redis.keys(space.key("*"))).map((key) => key.replace(space.key(""), "")).sort();
  expect(left).toEqual(["bindings", "queue:uc", "version"]);
});

test("L3 one settlement that the server refuses for good harms no other of its step", async () => {
  const space = new Space();
  const connection = await space.connect();
  await connection.declare([{ name: "uc", patterns: ["x"] }]);
  const deliveries: Delivery[] = [];
  await connection.subscribe("uc", 10, (delivery) => deliveries.push(delivery));
  await connection.publish([encoded("x", 1), encoded("x", 2), encoded("x", 3)]);
  await until("three are out", () => deliveries.length === 3);
  await space.redis.set(space.key("dead:uc"), "not a hash");
  const [done, dead, retry] = deliveries;
  const settled = await Promise.allSettled([
    done?.settle({ kind: "done", outputs: [] }),
    dead?.settle({ kind: "dead", id: "letter", event: encoded("x", 2) }),
    retry?.settle({ kind: "retry", delay: 3_600_000, event: encoded("x", 3) }),
  ]);
  expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  await space.redis.del(space.key("dead:uc"));
  await dead?.settle({ kind: "dead", id: "letter", event: encoded("x", 2) });
  expect(await connection.inspect("uc")).toEqual({ ready: 0, inFlight: 0, waiting: 1, dead: 1 });
});
