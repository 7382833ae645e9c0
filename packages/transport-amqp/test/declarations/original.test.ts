import { expect, test } from "vitest";
import { Space } from "../support/broker.ts";
import { asOriginal, declareAsOriginal, json } from "../support/original.ts";
import { until } from "../support/wait.ts";

test("L1 queues that the original made are taken over, and ours are as it declares them", async () => {
  const space = new Space();
  const channel = await space.channel();
  await declareAsOriginal(channel, space, "uc", "user.*", 25_000);
  channel.publish(space.name("domain_events"), "user.created", json({ n: 1 }), asOriginal);
  const got: unknown[] = [];
  const app = space.app();
  app.onEvent(
    "user.*",
    { useCase: "uc" },
    (payload, ctx) => void got.push([payload, ctx.eventName, ctx.id, ctx.attempt]),
  );
  app.onEvent("user.*", { useCase: "b" }, () => {});
  await app.start();
  await until("the event", () => got.length === 1);
  expect(got).toEqual([[{ n: 1 }, "user.created", asOriginal.messageId, 1]]);
  await declareAsOriginal(channel, space, "b", "user.*");
});
