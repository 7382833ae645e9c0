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
    const before = confirmed;
    await new Promise((resolve) => setTimeout(resolve, 150));
    // On a slow machine nothing may have got through by then.
    await until("something confirmed", () => confirmed > before || !cutting, 60_000);
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

test("P2, L6, L7 while the broker blocks publishers they wait, health says so, and consuming goes on", async () => {
  const space = new Space();
  const { port, toClients } = await talkingProxy();
  const app = space.app({ port });
  const got: unknown[] = [];
  app.onEvent("x", { useCase: "uc" }, (payload) => void got.push(payload));
  await app.start();
  const other = space.app();
  await other.start();
  // RabbitMQ sends connection.blocked with a reason when its memory or disk runs short, and connection.unblocked later.
  toClients(methodFrame(10, 60, Buffer.from("\x0blow on disk")));
  await until("the app is notified", () => !app.health().healthy);
  expect(app.health().reasons).toMatchObject([{ message: "the broker blocks publishers: low on disk" }]);
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
  await until("its health", () => app.health().healthy);
});

test("L2, L7 a stop during an alarm, when the broker reads nothing from connections that publish, is as quick as ever", async () => {
  const space = new Space();
  const { port, toClients, ignore } = await talkingProxy();
  const app = space.app({ port, drainTimeout: 30_000 }).onEvent("x", { useCase: "uc" }, () => {});
  await app.start();
  await app.newEvent("x", 1);
  ignore("(publishing)");
  toClients(methodFrame(10, 60, Buffer.from("\x06memory")));
  await until("the alarm", () => !app.health().healthy);
  const began = performance.now();
  await app.stop();
  expect(performance.now() - began).toBeLessThan(10_000);
});
