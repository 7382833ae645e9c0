import { expect, test } from "vitest";
import { quiet, Space } from "../support/broker.ts";
import { until } from "../support/wait.ts";

test("L3, L6 a queue deleted under its consumer is declared again, with its bindings, and it is told why the consumer ended", async () => {
  const space = new Space();
  const got: unknown[] = [];
  const warnings: unknown[] = [];
  const logger = { ...quiet, warn: (...all: unknown[]) => void warnings.push(all) };
  const app = space.app({ logger }).onEvent("x.*", { useCase: "uc" }, (n) => void got.push(n));
  await app.start();
  const channel = await space.channel();
  await channel.deleteQueue(space.name("uc"));
  await until("the queue again", async () => {
    await app.newEvent("x.y", 1);
    return got.length > 0;
  });
  expect(warnings).toContainEqual([
    expect.objectContaining({ useCase: "uc", reason: expect.stringContaining("its queue was deleted") }),
    "The broker ended a consumer; it is started again.",
  ]);
});

test("L2 after a clean stop nothing that was handled comes again, and the rest with the same attempt", async () => {
  const space = new Space();
  const handled = new Map<number, number[]>();
  const record = (n: unknown, attempt: number) =>
    handled.set(n as number, [...(handled.get(n as number) ?? []), attempt]);
  const count = 2_000;
  const first = space.app().onEvent("x", { useCase: "uc" }, async (n, ctx) => {
    await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 3));
    record(n, ctx.attempt);
  });
  await first.start();
  await first.newEvents(Array.from({ length: count }, (_, n) => ({ name: "x", payload: n })));
  await until("some", () => handled.size > 300);
  await first.stop();
  const before = handled.size;
  expect(before).toBeLessThan(count);
  const second = space.app().onEvent("x", { useCase: "uc" }, (n, ctx) => void record(n, ctx.attempt));
  await second.start();
  await until("the rest", () => handled.size === count);
  await until("an empty queue", async () => (await space.size("uc")) === 0);
  expect([...handled.values()].filter((attempts) => attempts.length !== 1 || attempts[0] !== 1)).toEqual([]);
});

test("L2 a handler that outlives the drain comes back with the same attempt", async () => {
  const space = new Space();
  const attempts: number[] = [];
  const first = space.app({ drainTimeout: 100 }).onEvent("x", { useCase: "uc" }, async (_, ctx) => {
    attempts.push(ctx.attempt);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
  });
  await first.start();
  await first.newEvent("x", 1);
  await until("its start", () => attempts.length === 1);
  await first.stop();
  const second = space.app().onEvent("x", { useCase: "uc" }, (_, ctx) => void attempts.push(ctx.attempt));
  await second.start();
  await until("its return", () => attempts.length === 2);
  expect(attempts).toEqual([1, 1]);
});

test("H2 a slow handler holds up nobody else", async () => {
  const space = new Space();
  let quick = 0;
  const app = space.app().onEvent("#", { useCase: "uc", concurrency: 2 }, async (_, ctx) => {
    if (ctx.eventName === "slow") await new Promise((resolve) => setTimeout(resolve, 2_500));
    else quick += 1;
  });
  await app.start();
  await app.newEvent("slow", {});
  await app.newEvents(Array.from({ length: 1_000 }, (_, n) => ({ name: "quick", payload: n })));
  await until("all quick ones", () => quick === 1_000, 2_400);
});

test("H5, L5 what is not JSON becomes a dead letter, and its neighbours do not", async () => {
  const space = new Space();
  const got: unknown[] = [];
  const app = space.app().onEvent("x", { useCase: "uc" }, (payload) => void got.push(payload));
  await app.start();
  const channel = await space.channel();
  for (const body of ["1", "{", '"ünï"', "", "\xff"])
    channel.publish(space.name("domain_events"), "x", Buffer.from(body, "latin1"));
  channel.publish(space.name("domain_events"), "x", Buffer.from('"ünï"'));
  await until("the dead letters", async () => (await app.deadLetters("uc").count()) === 4);
  expect(got).toEqual([1, "ünï"]);
});
