import { expect, test } from "vitest";
import { Space } from "../support/broker.ts";
import { harmfulQueueProxy } from "../support/frames.ts";
import { until } from "../support/wait.ts";

test("H8, L6 a queue that costs the connection when it is consumed costs it once, and is consumed again when it can be", async () => {
  const space = new Space();
  let harmful = false;
  const proxy = await harmfulQueueProxy((queue) => harmful && queue === space.name("a"));
  const warned: unknown[] = [];
  const logger = { debug: () => {}, info: () => {}, warn: (about: unknown) => warned.push(about), error: () => {} };
  const app = space.app({ port: proxy.port, logger });
  const got: unknown[] = [];
  let slow = 0;
  let endSlow = () => {};
  app.onEvent("x", { useCase: "a" }, (n) => void got.push(n));
  app.onEvent("slow", { useCase: "b" }, () => {
    slow += 1;
    return new Promise<void>((resolve) => {
      endSlow = resolve;
    });
  });
  await app.start();
  harmful = true;
  proxy.cut();
  await until("a reason", () => JSON.stringify(app.health()).includes("failed consuming from quorum queue"));
  await until("the connection again", () => app.health().connected);
  await app.newEvent("slow", {});
  await until("its handler", () => slow === 1);
  await app.newEvent("x", 1);
  const before = warned.length;
  const connections = proxy.connections();
  await until("more tries", () => warned.length >= before + 3 && proxy.connections() >= connections + 3);
  endSlow();
  expect(app.health()).toMatchObject({ connected: true, healthy: false });
  harmful = false;
  await until("the event", () => got.length === 1);
  await until("its health", () => app.health().healthy);
  expect(slow).toBe(1);
});

test("L1, L4 a start says which queue costs the connection", async () => {
  const space = new Space();
  const proxy = await harmfulQueueProxy((queue) => queue === space.name("a"));
  const app = space.app({ port: proxy.port }).onEvent("x", { useCase: "a" }, () => {});
  await expect(app.start()).rejects.toMatchObject({
    code: "connection-failed",
    message: expect.stringMatching(/queue of "a".*failed consuming/),
  });
});
