import { expect, test } from "vitest";
import { encoded } from "../support/events.ts";
import { declared, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

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

test("L3 a stall that is longer than ten seconds does not drop the connection while the lease is longer", async () => {
  const space = new Space({ lease: 60_000 });
  const proxy = await space.proxy();
  const statuses: boolean[] = [];
  const onStatus = ({ connected }: { readonly connected: boolean }) => void statuses.push(connected);
  const connection = await space.connect({ address: proxy.uri, onStatus });
  await connection.declarations.declare([declared("uc", "x")]);
  proxy.stall();
  const published = connection.publish([encoded("x", 1)]);
  const began = performance.now();
  await until("the stall is longer than ten seconds", () => performance.now() - began > 11_000);
  proxy.flow();
  expect(await published).toEqual([]);
  expect(statuses).toEqual([]);
  expect((await connection.inspect("uc")).ready).toBe(1);
});
