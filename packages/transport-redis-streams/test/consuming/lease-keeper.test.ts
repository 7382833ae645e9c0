import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { redis as startRedis } from "@papa-events/conformance/brokers";
import type { Delivery } from "@papa-events/core/transport";
import { expect, inject, onTestFinished, test } from "vitest";
import { encoded } from "../support/events.ts";
import { declared, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

const program = fileURLToPath(new URL("../support/child.ts", import.meta.url));

/** Runs from the built packages, in a process that can be stopped. */
function run(url: string, pause: number, said: string[]): ChildProcess {
  const child = spawn(process.execPath, [program, url, String(pause)], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let rest = "";
  child.stdout.on("data", (data: Buffer) => {
    const lines = (rest + data.toString()).split("\n");
    rest = lines.pop() ?? "";
    said.push(...lines);
  });
  return child;
}

test("L3 a process that was suspended for longer than its lease settles nothing that is no longer its own", async () => {
  const space = new Space({ lease: 1_000 });
  const outputs: unknown[] = [];
  const sink = space.app().onEvent("out", { useCase: "sink" }, (output) => void outputs.push(output));
  await sink.start();
  const said: string[] = [];
  const child = run(space.url(), 1_500, said);
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
  const space = new Space({ lease: 1_000 });
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
  await until("four leases have passed", () => {
    const passed = performance.now() - began;
    if (passed > 450 * (cuts + 1)) {
      proxy.cut();
      cuts += 1;
    }
    return passed > 4_000;
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

test("L2 what a clean stop releases comes before what is behind it, with no crash counted", async () => {
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

test("T6 what a lost connection's consumer held is counted as one crash when another takes over", async () => {
  const space = new Space({ lease: 500 });
  const proxy = await space.proxy();
  const publisher = await space.connect();
  await publisher.declarations.declare([declared("uc", "x")]);
  await publisher.publish([encoded("x", 1)]);
  const before: Delivery[] = [];
  const away = await space.connect({ address: proxy.uri });
  await away.subscribe("uc", { readAhead: 10, declaration: "any" }, (delivery) => before.push(delivery));
  await until("it is out", () => before.length === 1);
  proxy.refuse();
  const after: Delivery[] = [];
  const connection = await space.connect();
  await connection.subscribe("uc", { readAhead: 10, declaration: "any" }, (delivery) => after.push(delivery));
  await until("it has been taken over", () => after.length === 1);
  expect([before[0]?.redeliveries, after[0]?.redeliveries, after[0]?.attempt]).toEqual([0, 1, 1]);
  proxy.accept();
  // The former owner settles what is no longer its own.
  await before[0]?.settle({ kind: "dead", id: "not-its-own", event: encoded("x", 1) });
  expect(await publisher.inspect("uc")).toEqual({ ready: 0, inFlight: 1, waiting: 0, dead: 0 });
});
