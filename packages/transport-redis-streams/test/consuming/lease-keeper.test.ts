import { redis as startRedis } from "@papa-events/conformance/brokers";
import type { Delivery } from "@papa-events/core/transport";
import { expect, inject, onTestFinished, test, vi } from "vitest";
import { ReconnectingConnection } from "../../src/client/reconnecting-connection.ts";
import { keepLease } from "../../src/scripts/keep-lease.ts";
import { GROUP } from "../../src/wire/keys.ts";
import { encoded } from "../support/events.ts";
import { run } from "../support/processes.ts";
import { declared, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("L3 a process that was suspended for longer than its lease settles nothing that is no longer its own", async () => {
  const space = new Space({ lease: 1_000 });
  const outputs: unknown[] = [];
  const sink = space.app().onEvent("out", { useCase: "sink" }, (output) => void outputs.push(output));
  await sink.start();
  const said: string[] = [];
  const child = run("child.ts", [space.url(), "1500"], said);
  await until("the child is ready", () => said.includes("ready"));
  await sink.newEvent("x", 7);
  await until("the child handles it", () => said.includes("begun 7 1"));
  child.kill("SIGSTOP");
  const attempts: number[] = [];
  const other = space.app().onEvent("x", { useCase: "uc" }, (n, ctx) => {
    attempts.push(ctx.attempt);
    return { name: "out", payload: { of: n, by: "other" } };
  });
  await other.start();
  await until("the other has taken it over", () => outputs.length === 1);
  child.kill("SIGCONT");
  await until("the child's handler ends", () => said.includes("ended 7 1"));
  await until("the child knows of its lease", () => said.some((line) => line.includes("lease ended")));
  // What the child handles from now on counts again.
  await other.stop();
  await sink.newEvent("x", 8);
  await until("the child handles the next", () => outputs.length === 2);
  expect(outputs).toEqual([
    { of: 7, by: "other" },
    { of: 8, by: "child" },
  ]);
  expect(attempts).toEqual([1]);
});

test("H3 a handler slower than many leases is not given its event again while its process lives, also over cut connections", async () => {
  const space = new Space({ lease: 2_000 });
  const proxy = await space.proxy();
  let calls = 0;
  let finish = () => {};
  const held = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const handler = () => {
    calls += 1;
    return held;
  };
  const first = space.app({ address: proxy.uri }).onEvent("slow", { useCase: "uc" }, handler);
  const second = space.app().onEvent("slow", { useCase: "uc" }, handler);
  await first.start();
  await first.newEvent("slow", {});
  await until("it is being handled", () => calls === 1);
  await second.start();
  const began = performance.now();
  let cuts = 0;
  await until("three leases have passed", () => {
    const passed = performance.now() - began;
    if (passed > 900 * (cuts + 1)) {
      proxy.cut();
      cuts += 1;
    }
    return passed > 6_200;
  });
  expect(calls).toBe(1);
  finish();
  await until("it is settled", async () => (await second.stats()).uc?.inFlight === 0);
  expect(await second.stats()).toEqual({ uc: { ready: 0, inFlight: 0, waiting: 0, dead: 0 } });
});

test("H3 after a server was away for longer than the leases, nobody takes over from living consumers", async () => {
  const broker = await startRedis(inject("redisVersion"));
  onTestFinished(() => broker.stop());
  const space = new Space({ uri: broker.uri, lease: 1_000 });
  let calls = 0;
  let finish = () => {};
  const held = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const apps = [1, 2, 3].map(() =>
    space.app({ concurrency: 10 }).onEvent("slow", { useCase: "uc" }, () => {
      calls += 1;
      return held;
    }),
  );
  await Promise.all(apps.map((app) => app.start()));
  for (let n = 0; n < 20; n += 1) await apps[0]?.newEvent("slow", n);
  await until("all are being handled", () => calls === 20);
  for (let time = 0; time < 2; time += 1) {
    await broker.pause();
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await broker.resume();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
  }
  expect(calls).toBe(20);
  finish();
  await until("all are settled", async () => (await apps[0]?.stats())?.uc?.inFlight === 0);
  expect(calls).toBe(20);
});

test("L2 what a clean stop releases comes before what is behind it, with nothing counted", async () => {
  const space = new Space({ lease: 60_000 });
  const publisher = await space.connect();
  await publisher.declarations.declare([declared("uc", "x")]);
  await publisher.publish(Array.from({ length: 40 }, (_, n) => encoded("x", n)));
  const take = async (readAhead: number) => {
    const connection = await space.connect();
    const deliveries: Delivery[] = [];
    await connection.subscribe("uc", { readAhead: readAhead, declaration: "any" }, (delivery) =>
      deliveries.push(delivery),
    );
    return { connection, deliveries };
  };
  const first = await take(10);
  await until("ten are out", () => first.deliveries.length === 10);
  expect(await publisher.inspect("uc")).toEqual({ ready: 30, inFlight: 10, waiting: 0, dead: 0 });
  await first.deliveries[0]?.settle({ kind: "done", outputs: [] });
  await first.deliveries[9]?.settle({ kind: "release" });
  await first.connection.close();
  expect(await publisher.inspect("uc")).toEqual({ ready: 39, inFlight: 0, waiting: 0, dead: 0 });
  const second = await take(20);
  await until("more are out than were released", () => second.deliveries.length > 9);
  const numbers = second.deliveries.map(({ event }) => Number(event.body.toString()));
  expect(numbers.slice(0, 9).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(second.deliveries.every(({ redeliveries, attempt }) => redeliveries === 0 && attempt === 1)).toBe(true);
});

test("T6 ten clean stops count nothing, and what a stopping instance releases is not handed to it again", async () => {
  const space = new Space({ lease: 60_000 });
  const publisher = await space.connect();
  await publisher.declarations.declare([declared("uc", "x")]);
  await publisher.publish([encoded("x", 0), encoded("x", 1)]);
  for (let stop = 0; stop < 10; stop += 1) {
    const connection = await space.connect();
    const deliveries: Delivery[] = [];
    const options = { readAhead: 10, declaration: "any" };
    const subscription = await connection.subscribe("uc", options, (delivery) => deliveries.push(delivery));
    await until("both are out", () => deliveries.length === 2);
    expect(deliveries.map(({ redeliveries }) => redeliveries)).toEqual([0, 0]);
    const stopped = subscription.stop();
    expect(await deliveries[1]?.settle({ kind: "release" })).toBe("stored");
    await stopped;
    await connection.close();
    expect(deliveries).toHaveLength(2);
  }
});

/** A connection that may be cut off. */
async function cutOff(space: Space) {
  const proxy = await space.proxy();
  const publisher = await space.connect();
  await publisher.declarations.declare([declared("uc", "x")]);
  const deliveries: Delivery[] = [];
  const connection = await space.connect({ address: proxy.uri });
  await connection.subscribe("uc", { readAhead: 10, declaration: "any" }, (delivery) => deliveries.push(delivery));
  return { proxy, publisher, deliveries };
}

async function subscribe(space: Space, readAhead = 10) {
  const deliveries: Delivery[] = [];
  const connection = await space.connect();
  await connection.subscribe("uc", { readAhead, declaration: "any" }, (delivery) => deliveries.push(delivery));
  return { connection, deliveries };
}

test("T6 what a consumer held that is gone for longer than its lease counts as redelivered once, and is lost to it", async () => {
  const space = new Space({ lease: 500 });
  const { proxy, publisher, deliveries: before } = await cutOff(space);
  await publisher.publish([encoded("x", 1)]);
  await until("it is out", () => before.length === 1);
  proxy.refuse();
  const { deliveries: after } = await subscribe(space);
  await until("it has been taken over", () => after.length === 1);
  expect([before[0]?.redeliveries, after[0]?.redeliveries, after[0]?.attempt]).toEqual([0, 1, 1]);
  expect(before[0]?.lost).toBe(false);
  proxy.accept();
  await until("its former owner knows", () => before[0]?.lost === true);
  expect(await before[0]?.settle({ kind: "dead", id: "not-its-own", event: encoded("x", 1) })).toBe("lost");
  expect(await publisher.inspect("uc")).toEqual({ ready: 0, inFlight: 1, waiting: 0, dead: 0 });
  expect(await after[0]?.settle({ kind: "done", outputs: [] })).toBe("stored");
});

/** How many bytes there are in a script's reply. */
function bytesIn(reply: unknown): number {
  if (Buffer.isBuffer(reply)) return reply.length;
  return Array.isArray(reply) ? reply.reduce((sum: number, part) => sum + bytesIn(part), 0) : 0;
}

test("H9 what a dead consumer held is taken over in parts of bounded bytes, and all of it", async () => {
  const space = new Space({ lease: 500 });
  const publisher = await space.connect();
  await publisher.declarations.declare([declared("uc", "x")]);
  for (let n = 0; n < 20; n += 1) await publisher.publish([encoded("x", "x".repeat(1_000_000))]);
  await space.redis.xreadgroup("GROUP", GROUP, "gone", "STREAMS", space.key("queue:uc"), ">");
  const scripts = vi.spyOn(ReconnectingConnection.prototype, "runForBytes");
  onTestFinished(() => scripts.mockRestore());
  const { deliveries } = await subscribe(space, 100);
  await until("all have been taken over", () => deliveries.length === 20);
  const looks = scripts.mock.results.filter((_, index) => scripts.mock.calls[index]?.[0] === keepLease);
  const sizes = await Promise.all(looks.map(async ({ value }) => bytesIn(await (value as Promise<unknown>))));
  expect(Math.max(...sizes)).toBeGreaterThan(2_000_000);
  expect(Math.max(...sizes)).toBeLessThan(10_000_000);
});

test("T6 what was taken over from a process that lives does not count once it is back", async () => {
  const space = new Space({ lease: 500 });
  const { proxy, publisher, deliveries: before } = await cutOff(space);
  await publisher.publish([encoded("x", 1)]);
  await until("it is out", () => before.length === 1);
  proxy.refuse();
  const second = await subscribe(space);
  await until("it has been taken over", () => second.deliveries.length === 1);
  proxy.accept();
  await until("its former owner is back", () => before[0]?.lost === true);
  const third = await subscribe(space);
  await second.connection.close();
  await until("it is handed out again", () => third.deliveries.length === 1 || before.length === 2);
  expect((third.deliveries[0] ?? before[1])?.redeliveries).toBe(0);
});

test("H3 a process that comes back after its lease adopts what others have not taken, and begins nothing anew", async () => {
  const space = new Space({ lease: 500 });
  const { proxy, publisher, deliveries } = await cutOff(space);
  await publisher.publish(Array.from({ length: 6 }, (_, n) => encoded("x", n)));
  await until("all are out", () => deliveries.length === 6);
  proxy.refuse();
  const other = await subscribe(space, 2);
  await until("two have been taken over", () => other.deliveries.length === 2);
  proxy.accept();
  await until("two are lost", () => deliveries.filter(({ lost }) => lost).length === 2);
  const settled = await Promise.all([
    ...deliveries.map((delivery, n) =>
      n % 2 === 0
        ? delivery.settle({ kind: "done", outputs: [] })
        : delivery.settle({ kind: "retry", delay: 3_600_000, event: encoded("x", n) }),
    ),
  ]);
  expect(settled.filter((each) => each === "stored")).toHaveLength(4);
  expect(settled.filter((each) => each === "lost")).toHaveLength(2);
  expect(deliveries).toHaveLength(6);
  expect(await publisher.inspect("uc")).toMatchObject({ ready: 0, inFlight: 2, dead: 0 });
});

test("L6 a dead letter is known to be stored although its reply and then the lease were lost", async () => {
  const space = new Space({ lease: 500 });
  const { proxy, publisher, deliveries } = await cutOff(space);
  await publisher.publish([encoded("x", 1), encoded("x", 2)]);
  await until("both are out", () => deliveries.length === 2);
  const other = await subscribe(space);
  proxy.loseReplies();
  const event = encoded("x", 1);
  const settling = deliveries[0]?.settle({ kind: "dead", id: "stored-once", event });
  await until("it is stored", async () => (await publisher.inspect("uc")).dead === 1);
  proxy.refuse();
  await until("the other event is taken over", () => other.deliveries.length === 1);
  proxy.accept();
  expect(await settling).toBe("stored");
  await until("the lease is known to have ended", () => deliveries[1]?.lost === true);
});
