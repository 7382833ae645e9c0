import { expect, test } from "vitest";
import { hasAccounts, policy } from "../support/accounts.ts";
import { Space } from "../support/broker.ts";
import { asOriginal, declareAsOriginal, json } from "../support/original.ts";
import { until } from "../support/wait.ts";

/** Starts an app that handles what came back, and waits for it. */
async function handleReturns(space: Space): Promise<readonly unknown[]> {
  const warnings: string[] = [];
  const logger = {
    debug: () => {},
    info: () => {},
    error: () => {},
    warn: (_: unknown, text = "") => warnings.push(text),
  };
  const handled: unknown[] = [];
  const app = space.app({ logger });
  app.onEvent("user.*", { useCase: "uc" }, (payload, { eventName, attempt }) => {
    handled.push([payload, eventName, attempt]);
  });
  await app.start();
  await until("it is handled", () => handled.length > 0);
  await until("it is told of", () => warnings.some((text) => text.includes("delivery-limit")));
  return handled;
}

test("L5, H1 a message that expires in its queue by an outsider's expiration is handled, under its name", async () => {
  const space = new Space();
  const before = await space.connect();
  const channel = await space.channel();
  await declareAsOriginal(channel, space, "uc", "user.*", 100);
  await before.declarations.declare([{ name: "uc", patterns: ["user.*"], id: "user.*" }]);
  channel.publish(space.name("domain_events"), "user.made", json(1), { ...asOriginal, expiration: "20" });
  await until("it has come back", async () => (await space.size("domain_events:returned")) === 1);
  // The broker takes it for a cycle.
  expect(await space.size("uc")).toBe(0);
  expect(await handleReturns(space)).toEqual([[1, "user.made", 1]]);
});

test.runIf(hasAccounts)(
  "T6, H1 what a delivery-limit of a policy takes from a queue is handled all the same",
  async () => {
    const space = new Space();
    const before = await space.connect();
    await declareAsOriginal(await space.channel(), space, "uc", "user.*", 100);
    await before.declarations.declare([{ name: "uc", patterns: ["user.*"], id: "user.*" }]);
    await policy(space, "^PREFIX/uc$", { "delivery-limit": 1 });
    const channel = await space.channel();
    channel.publish(space.name("domain_events"), "user.made", json(1), asOriginal);
    await until("it has come back", async () => {
      const other = await space.channel();
      const message = await other.get(space.name("uc"));
      if (message !== false) other.reject(message, true);
      await other.close();
      return (await space.size("domain_events:returned")) > 0;
    });
    expect(await handleReturns(space)).toEqual([[1, "user.made", 1]]);
  },
);
