import { PapaApp } from "@papa-events/core";
import type { Delivery, EncodedEvent } from "@papa-events/core/transport";
import { amqp } from "@papa-events/transport-amqp";
import { expect, onTestFinished, test } from "vitest";
import { accounts, hasAccounts, permit } from "../support/accounts.ts";
import { declaration, quiet, Space } from "../support/broker.ts";
import { methodFrame, talkingProxy } from "../support/frames.ts";
import { startTestProxy } from "../support/proxy.ts";
import { until } from "../support/wait.ts";

const event = (n: number): EncodedEvent => ({
  name: "x",
  id: `event-${n}`,
  time: 0,
  headers: { ce_type: "x", ce_id: `event-${n}` },
  body: Buffer.from(String(n)),
});

test("L3, L6 what a lost channel delivered is known to be lost, and nothing is stored for it", async () => {
  const space = new Space();
  const proxy = await startTestProxy();
  const connection = await space.connect({ port: proxy.port });
  await connection.declarations.declare([declaration("uc", "x")]);
  await connection.publish([event(1)]);
  const deliveries: Delivery[] = [];
  await connection.subscribe("uc", { readAhead: 5, declaration: "" }, (delivery) => deliveries.push(delivery));
  await until("the delivery", () => deliveries.length === 1);
  expect(deliveries[0]?.lost).toBe(false);
  proxy.cut();
  await until("the loss", () => deliveries[0]?.lost === true);
  await until("the delivery again", () => deliveries.length === 2);
  expect(await deliveries[0]?.settle({ kind: "dead", id: "one", event: event(1) })).toBe("lost");
  expect(await deliveries[0]?.settle({ kind: "done", outputs: [] })).toBe("lost");
  expect(await deliveries[1]?.settle({ kind: "dead", id: "two", event: event(1) })).toBe("stored");
  expect((await connection.deadLetters("uc").list({ limit: 5, order: "oldest" })).items).toMatchObject([{ id: "two" }]);
});

test("H9 a delivery counts as read ahead until its settlement is stored", async () => {
  const space = new Space();
  const { port, toClients } = await talkingProxy();
  const other = await space.connect();
  await other.declarations.declare([declaration("uc", "x")]);
  await other.publish(Array.from({ length: 50 }, (_, n) => event(n)));
  const problems: unknown[] = [];
  const connection = await space.connect({ port, onProblem: (...problem) => problems.push(problem) });
  // As RabbitMQ says when it runs short of memory: nothing can be stored now.
  toClients(methodFrame(10, 60, Buffer.from("\x06memory")));
  // Both connections.
  await until("the alarm", () => problems.length === 2);
  let delivered = 0;
  const settled: string[] = [];
  await connection.subscribe("uc", { readAhead: 10, declaration: "" }, (delivery) => {
    delivered += 1;
    void delivery.settle({ kind: "retry", delay: 60_000, event: event(99) }).then(
      (each) => settled.push(each),
      () => settled.push("rejected"),
    );
  });
  await until("as many as are read ahead", () => delivered === 10);
  await until("what the broker keeps", async () => (await space.size("uc")) === 40);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(delivered).toBe(10);
  expect(settled).toEqual([]);
  toClients(methodFrame(10, 61, Buffer.alloc(0)));
  await until("all of them", () => settled.length === 50);
  expect(new Set(settled)).toEqual(new Set(["stored"]));
  expect(problems.at(-1)).toEqual(["alarm", undefined]);
  const channel = await space.channel();
  await channel.deleteQueue(space.name("uc.retry.60000"));
});

test("H8, L6 a queue that cannot be consumed is told, and holds up neither publishing nor the other use cases", async () => {
  const space = new Space();
  const proxy = await startTestProxy();
  const got: unknown[] = [];
  const app = space.app({ port: proxy.port });
  app.onEvent("x", { useCase: "a" }, (n) => void got.push(n));
  app.onEvent("y", { useCase: "b" }, () => {});
  await app.start();
  const channel = await space.channel();
  onTestFinished(async () => {
    const again = await space.channel();
    await again.deleteQueue(space.name("b"));
  });
  await channel.deleteQueue(space.name("b"));
  await channel.assertQueue(space.name("b"), { arguments: { "x-queue-type": "classic" } });
  const about = () => app.health().reasons.find(({ subject }) => subject === 'consuming "b"');
  await until("the problem", () => about()?.message.includes("with other properties") === true);
  // A reconnect meets the same queue.
  proxy.cut();
  await until("the loss", () => !app.health().connected);
  await until("the connection again", () => app.health().connected);
  await app.newEvent("x", 1);
  await until("the other use case", () => got.length === 1);
  expect(app.health().healthy).toBe(false);
  await channel.deleteQueue(space.name("b"));
  await until("its health", () => app.health().healthy);
  expect(about()).toBeUndefined();
});

test.runIf(hasAccounts)(
  "H8, L6 a right to one queue that is taken away holds up neither publishing nor the other use cases",
  { timeout: 60_000 },
  async () => {
    const space = new Space();
    const url = new URL((await accounts(space))("handles"));
    const proxy = await startTestProxy();
    url.port = String(proxy.port);
    const got: unknown[] = [];
    const app = new PapaApp({ transport: amqp(url.href), logger: quiet });
    onTestFinished(() => app.stop());
    app.onEvent("x", { useCase: "a" }, (n, { attempt }) => void got.push([n, attempt]));
    app.onEvent("y", { useCase: "b" }, (n) => void got.push(n));
    await app.start();
    const may = (read: string) => permit(decodeURIComponent(url.username), space, read);
    await may("^PREFIX/(?!b$).*$");
    proxy.cut();
    await until("the loss", () => !app.health().connected);
    await until("the connection again", () => app.health().connected);
    const about = () => app.health().reasons.find(({ subject }) => subject === 'consuming "b"');
    await until("the problem", () => about()?.message.includes("refuses access") === true);
    for (let n = 0; n < 5; n += 1)
      await app.newEvents([
        { name: "x", payload: n },
        { name: "y", payload: n },
      ]);
    await until("the other use case", () => got.length === 5);
    expect(got).toEqual([0, 1, 2, 3, 4].map((n) => [n, 1]));
    expect(app.health().connected).toBe(true);
    await may("^PREFIX/.*$");
    await until("what has waited", () => got.length === 10);
    await until("its health", () => app.health().healthy);
  },
);

test("L3 the signal of a handler aborts when the channel of its event is lost, with why", async () => {
  const space = new Space();
  const proxy = await startTestProxy();
  const reasons: unknown[] = [];
  const app = space.app({ port: proxy.port }).onEvent("x", { useCase: "uc" }, (_, { signal }) => {
    if (reasons.length > 0) return;
    return new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => {
        reasons.push(signal.reason);
        resolve();
      });
      proxy.cut();
    });
  });
  await app.start();
  await app.newEvent("x", 1);
  await until("its signal", () => reasons.length === 1);
  expect(reasons).toMatchObject([{ code: "event-lost", details: { useCase: "uc" } }]);
  await until("the event is handled", async () => (await space.size("uc")) === 0);
});
