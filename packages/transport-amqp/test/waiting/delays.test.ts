import { RetryAfter } from "@papa-events/core";
import { expect, test } from "vitest";
import { quiet, Space } from "../support/broker.ts";
import { startTestProxy } from "../support/proxy.ts";
import { until } from "../support/wait.ts";

test("T1, T2 an event that always fails is tried retries + 1 times, never early and within a second", async () => {
  const space = new Space();
  const times: number[] = [];
  const app = space.app();
  app.onEvent("x", { useCase: "uc", retries: 3, retryDelay: 600 }, (_, ctx) => {
    times.push(performance.now());
    expect(ctx.attempt).toBe(times.length);
    expect(ctx.eventName).toBe("x");
    expect(ctx.headers).toEqual({ mine: "1" });
    throw new Error("no");
  });
  await app.start();
  await app.newEvent("x", {}, { headers: { mine: "1" } });
  await until("the dead letter", async () => (await app.deadLetters("uc").count()) === 1);
  expect(times).toHaveLength(4);
  for (const [n, time] of times.entries()) {
    if (n === 0) continue;
    const waited = time - (times[n - 1] ?? 0);
    expect(waited).toBeGreaterThanOrEqual(600);
    expect(waited).toBeLessThan(1_600);
  }
});

test("T3 waiting events of many delays block neither one another nor the rest", async () => {
  const space = new Space();
  const early: number[] = [];
  const late: number[] = [];
  let handled = 0;
  const delays = [100, 300, 1_500, 3_000];
  const app = space.app();
  app.onEvent("x", { useCase: "uc", concurrency: 50 }, (payload, ctx) => {
    const { delay, failed } = payload as { delay: number; failed: number };
    if (ctx.attempt === 1 && delay > 0) {
      due.set(failed, performance.now() + delay);
      throw new RetryAfter(delay);
    }
    handled += 1;
    if (delay === 0) return;
    const behind = performance.now() - (due.get(failed) ?? 0);
    if (behind < 0) early.push(behind);
    late.push(behind);
  });
  const due = new Map<number, number>();
  await app.start();
  const many = Array.from({ length: 400 }, (_, n) => ({
    name: "x",
    payload: { delay: delays[n % 4] ?? 0, failed: n },
  }));
  await app.newEvents(many);
  await app.newEvents(Array.from({ length: 500 }, (_, n) => ({ name: "x", payload: { delay: 0, failed: -n } })));
  await until("all of them", () => handled === 900);
  expect(early).toEqual([]);
  // Behind one that waits for 3 s it would be later than that, also on a slow machine.
  expect(Math.max(...late)).toBeLessThan(2_000);
});

test("T4, T6 the attempt survives lost connections, which count as crashes and not as retries", async () => {
  const space = new Space();
  const proxy = await startTestProxy();
  const attempts: number[] = [];
  let hold: (() => void) | undefined;
  const app = space.app({ port: proxy.port, retries: 2, retryDelay: 300 });
  app.onEvent("x", { useCase: "uc" }, async (_, ctx) => {
    attempts.push(ctx.attempt);
    if (attempts.length === 2) await new Promise<void>((resolve) => (hold = resolve));
    throw new Error("no");
  });
  await app.start();
  await app.newEvent("x", {});
  await until("the second attempt", () => hold !== undefined);
  proxy.cut();
  await until("the same attempt again", () => attempts.length >= 3);
  hold?.();
  await until("the dead letter", async () => {
    if (!app.health().connected) return false;
    return (await app.deadLetters("uc").count()) === 1;
  });
  expect(attempts).toEqual([1, 2, 2, 3]);
});

test("T2 a delay queue that somebody deleted is declared again", async () => {
  const space = new Space();
  const attempts: number[] = [];
  const app = space.app({ retries: 1, retryDelay: 200 });
  app.onEvent("x", { useCase: "uc" }, (_, ctx) => {
    attempts.push(ctx.attempt);
    if (ctx.attempt === 1) throw new Error("no");
  });
  await app.start();
  await app.newEvent("x", {});
  await until("its retry", () => attempts.length === 2);
  const channel = await space.channel();
  await channel.deleteQueue(space.name("uc.retry.200"));
  await app.newEvent("x", {});
  await until("the retry of another", () => attempts.length === 4);
  expect(attempts).toEqual([1, 2, 1, 2]);
});

test("T1 the first retries of a fleet are taken at once, though each instance needs the same new delay queues", async () => {
  const space = new Space();
  const refused: string[] = [];
  let handled = 0;
  const fleet = [1, 2, 3, 4, 5].map(() => {
    const app = space.app({ logger: { ...quiet, error: (_: object, message = "") => void refused.push(message) } });
    for (const useCase of ["a", "b", "c", "d", "e", "f"])
      app.onEvent("x", { useCase, retryDelay: 100 }, (_, { attempt }) => {
        if (attempt === 1) throw new Error("no");
        handled += 1;
      });
    return app;
  });
  for (const app of fleet) await app.start();
  await fleet[0]?.newEvents(Array.from({ length: 50 }, () => ({ name: "x", payload: {} })));
  await until("all of them", () => handled === 300);
  expect(refused).toEqual([]);
});
