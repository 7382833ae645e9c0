import { expect, test } from "vitest";
import { Space } from "../support/broker.ts";
import { startTestProxy } from "../support/proxy.ts";
import { until } from "../support/wait.ts";

test("L3, L8 a queue that is deleted when the connection is cut gets one consumer again, and no more", async () => {
  const space = new Space();
  const proxy = await startTestProxy();
  const got: unknown[] = [];
  const app = space.app({ port: proxy.port }).onEvent("x", { useCase: "uc" }, (n) => void got.push(n));
  await app.start();
  const channel = await space.channel();
  const consumers = async () => (await channel.checkQueue(space.name("uc"))).consumerCount;
  for (let round = 1; round <= 4; round += 1) {
    const deleted = channel.deleteQueue(space.name("uc"));
    if (round % 2 === 0) await deleted;
    proxy.cut();
    await deleted;
    await until("the loss", () => !app.health().connected);
    await until("its health", () => app.health().healthy);
    await until("it consumes", async () => {
      await app.newEvent("x", round);
      return got.includes(round);
    });
    // What would begin another has happened by the time that a reconnect and a delivery have.
    expect(await consumers()).toBe(1);
  }
  await app.stop();
  expect(await consumers()).toBe(0);
});

test("L2, T6 stops in the middle of a reconnect leave no consumer, and destroy nothing", async () => {
  const space = new Space();
  const proxy = await startTestProxy();
  const count = 20;
  const channel = await space.channel();
  for (let round = 0; round < 6; round += 1) {
    let begun = 0;
    const app = space.app({ port: proxy.port, drainTimeout: 0 });
    app.onEvent("x", { useCase: "uc" }, (_, { signal }) => {
      begun += 1;
      return new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    });
    await app.start();
    if (round === 0) await app.newEvents(Array.from({ length: count }, (_, n) => ({ name: "x", payload: n })));
    // Those that other processes' lost connections have made suspects are handled one at a time.
    await until("some are handed out", () => begun > 0);
    proxy.cut();
    await until("the loss", () => !app.health().connected);
    // Before, during and after the first try to connect again.
    await new Promise((resolve) => setTimeout(resolve, round * 30));
    await app.stop();
    await until("no consumer", async () => (await channel.checkQueue(space.name("uc"))).consumerCount === 0);
    await until("all are back", async () => (await space.size("uc")) === count);
  }
  expect(await space.size("uc.dlq")).toBe(0);
});
