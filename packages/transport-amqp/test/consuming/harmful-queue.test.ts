import { expect, test } from "vitest";
import { Space } from "../support/broker.ts";
import { type Harm, harmfulQueueProxy } from "../support/frames.ts";
import { until } from "../support/wait.ts";

test.each<Harm>(["when consumed", "when it delivers"])(
  "H8, L6 a queue that costs the connection %s is tried apart from the others, until it is whole",
  async (harm) => {
    const space = new Space();
    let harmful = false;
    const proxy = await harmfulQueueProxy(harm, (queue) => harmful && queue === space.name("a"));
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
    const ofA = () =>
      app.health().reasons.some(({ subject, message }) => subject.includes('"a"') && message.includes("541"));
    await until("a reason", () => ofA() && app.health().connected);
    const others = () => app.health().reasons.filter(({ subject }) => !subject.includes('"a"'));
    await until("the other use case", () => others().length === 0);
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
  },
);

test("L1, L4 a start says which queue costs the connection", async () => {
  const space = new Space();
  const proxy = await harmfulQueueProxy("when consumed", (queue) => queue === space.name("a"));
  const app = space.app({ port: proxy.port }).onEvent("x", { useCase: "a" }, () => {});
  await expect(app.start()).rejects.toMatchObject({
    code: "connection-failed",
    message: expect.stringMatching(/queue of "a".*failed consuming/),
  });
});
