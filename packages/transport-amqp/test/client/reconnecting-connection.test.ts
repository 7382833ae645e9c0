import { expect, test } from "vitest";
import { Space } from "../support/broker.ts";
import { methodFrame, talkingProxy } from "../support/frames.ts";
import { startTestProxy } from "../support/proxy.ts";
import { until } from "../support/wait.ts";

test("L3, H1 a connection cut again and again loses nothing", { timeout: 120_000 }, async () => {
  const space = new Space();
  const proxy = await startTestProxy();
  const handled = new Map<number, number>();
  const outputs = new Set<number>();
  const app = space.app({ port: proxy.port });
  app.onEvent("x", { useCase: "uc" }, async (n) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    handled.set(n as number, (handled.get(n as number) ?? 0) + 1);
    return { name: "out", payload: n };
  });
  app.onEvent("out", { useCase: "other" }, (n) => void outputs.add(n as number));
  await app.start();
  const count = 3_000;
  let confirmed = 0;
  let cutting = true;
  let cuts = 0;
  const publishing = (async () => {
    for (let n = 0; n < count; n += 50) {
      const part = Array.from({ length: 50 }, (_, at) => ({ name: "x", payload: n + at }));
      await app.newEvents(part);
      confirmed += part.length;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    cutting = false;
  })();
  while (cutting) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    proxy.cut();
    cuts += 1;
    await until("the connection again", () => app.health().connected);
  }
  await publishing;
  await until("all handled", () => handled.size === confirmed && outputs.size === confirmed, 60_000);
  expect(confirmed).toBe(count);
  expect(cuts).toBeGreaterThan(3);
});

test("P2 publishing waits while the broker is away, and is sent after", async () => {
  const space = new Space();
  const proxy = await startTestProxy();
  const got: unknown[] = [];
  const app = space.app({ port: proxy.port, publishTimeout: 15_000 });
  app.onEvent("x", { useCase: "uc" }, (n) => void got.push(n));
  await app.start();
  proxy.refuse();
  await until("the loss", () => !app.health().connected);
  const published = app.newEvent("x", 1);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(got).toEqual([]);
  proxy.accept();
  await published;
  await until("the event", () => got.length === 1);
  expect(app.health()).toMatchObject({ connected: true, healthy: true });
});

test("P2 at its timeout a publish rejects with an error that may be tried again", async () => {
  const space = new Space();
  const proxy = await startTestProxy();
  const app = space.app({ port: proxy.port, publishTimeout: 300 });
  await app.start();
  proxy.refuse();
  await until("the loss", () => !app.health().connected);
  await expect(app.newEvent("x", 1)).rejects.toMatchObject({ code: "publish-timeout", retryable: true });
  proxy.accept();
});

test("L3 a queue deleted under its consumer is made again, with its bindings", async () => {
  const space = new Space();
  const got: unknown[] = [];
  const app = space.app().onEvent("x.*", { useCase: "uc" }, (n) => void got.push(n));
  await app.start();
  const channel = await space.channel();
  await channel.deleteQueue(space.name("uc"));
  await until("the queue again", async () => {
    await app.newEvent("x.y", 1);
    return got.length > 0;
  });
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

test("P4 a payload of exactly the limit passes, through retry and dead letter too", async () => {
  const space = new Space();
  const payload = "x".repeat(1_048_574);
  const sizes: number[] = [];
  const app = space.app({ retries: 1, retryDelay: 100 }).onEvent("x", { useCase: "uc" }, (got) => {
    sizes.push((got as string).length);
    throw new Error("no");
  });
  await app.start();
  await app.newEvent("x", payload, { headers: { big: "h".repeat(32_000) } });
  await until("the letter", async () => (await app.deadLetters("uc").count()) === 1);
  expect(sizes).toEqual([payload.length, payload.length]);
  const [letter] = (await app.deadLetters("uc").list()).items;
  expect(letter?.body.length).toBe(1_048_576);
  expect(letter?.headers.big).toHaveLength(32_000);
});

test("H5, L5 what is no JSON becomes a dead letter, and its neighbours do not", async () => {
  const space = new Space();
  const got: unknown[] = [];
  const app = space.app().onEvent("x", { useCase: "uc" }, (payload) => void got.push(payload));
  await app.start();
  const channel = await space.channel();
  for (const body of ["1", "{", '"ünï"', "", "\xff"])
    channel.publish(space.name("domain_events"), "x", Buffer.from(body, "latin1"));
  channel.publish(space.name("domain_events"), "x", Buffer.from('"ünï"'));
  await until("the letters", async () => (await app.deadLetters("uc").count()) === 4);
  expect(got).toEqual([1, "ünï"]);
});

test("P2, L3 while the broker blocks publishers they wait, and consuming goes on", async () => {
  const space = new Space();
  const { port, toClients } = await talkingProxy();
  const app = space.app({ port });
  const got: unknown[] = [];
  app.onEvent("x", { useCase: "uc" }, (payload) => void got.push(payload));
  await app.start();
  const other = space.app();
  await other.start();
  // What RabbitMQ sends when its memory or disk runs short: connection.blocked with a reason, then connection.unblocked.
  toClients(methodFrame(10, 60, Buffer.from("\x0alow on disk")));
  await until("the app is told", () => !app.health().connected);
  let published = false;
  const publishing = app.newEvent("x", "late").then(() => {
    published = true;
  });
  await other.newEvent("x", "other");
  await until("consuming goes on", () => got.includes("other"));
  expect(published).toBe(false);
  toClients(methodFrame(10, 61, Buffer.alloc(0)));
  await publishing;
  await until("it is handled", () => got.includes("late"));
  expect(app.health().connected).toBe(true);
});
