import { deadLetters } from "@papa-events/core";
import { expect, test } from "vitest";
import { declaration, Space } from "../support/broker.ts";
import { asOriginal, declareAsOriginal, json } from "../support/original.ts";
import { until } from "../support/wait.ts";

test("D1 dead letters of the original are read, found by their id and redriven", async () => {
  const space = new Space();
  const channel = await space.channel();
  await declareAsOriginal(channel, space, "uc", "user.created");
  const exception = 'Traceback (most recent call last):\n  File "x.py", line 1, in f\nValueError: boom';
  const died = {
    ...asOriginal,
    headers: {
      exception,
      "x-delivery-count": 3,
      "x-death": [
        {
          count: 3,
          queue: space.name("uc.retry"),
          reason: "expired",
          exchange: "x",
          "routing-keys": [space.name("uc")],
        },
        { count: 3, queue: space.name("uc"), reason: "rejected", exchange: "x", "routing-keys": ["user.created"] },
      ],
    },
  };
  const early = { ...asOriginal, messageId: "f".repeat(32), headers: { exception } };
  channel.publish(space.name("domain_events.dlq"), space.name("uc"), json({ n: 1 }), died);
  channel.publish(space.name("domain_events.dlq"), space.name("uc"), json({ n: 2 }), early);
  const connection = await space.connect({ appName: "x" });
  await connection.declarations.declare([declaration("uc", "user.created")]);
  await connection.close();
  const letters = deadLetters(space.transport(), "uc");
  try {
    const { items } = await letters.list({ order: "oldest" });
    expect(items).toMatchObject([
      { eventName: "user.created", attempts: 4, reason: "retries-exhausted", eventId: asOriginal.messageId },
      { eventName: "user.created", attempts: 1, reason: "rejected", payload: { n: 2 } },
    ]);
    expect(items[0]?.error).toEqual({ name: "ValueError", message: "boom", stack: exception });
    const again = await letters.list({ order: "oldest" });
    expect(again).toEqual({ items });
    const [first] = items;
    expect(await letters.get(first?.id ?? "")).toEqual(first);
    expect(await letters.redrive([first?.id ?? ""])).toBe(1);
    expect(await letters.count()).toBe(1);
  } finally {
    await letters.close();
  }
  const message = await channel.get(space.name("uc"));
  if (message === false) throw new Error("nothing was redriven");
  const headers = message.properties.headers ?? {};
  expect(headers["x-death"]).toBeUndefined();
  expect(headers.exception).toBeUndefined();
  expect(headers).toMatchObject({ ce_type: "user.created", papa_redriven: "1" });
  channel.ack(message);
});

test("D1 our dead letters carry the exception where the original's tools look for it", async () => {
  const space = new Space();
  const app = space.app({ retries: 0 });
  app.onEvent("x", { useCase: "uc" }, () => {
    throw new TypeError("broken");
  });
  await app.start();
  await app.newEvent("x", { n: 1 });
  await until("the letter", async () => (await space.size("uc.dlq")) === 1);
  const channel = await space.channel();
  const message = await channel.get(space.name("uc.dlq"));
  if (message === false) throw new Error("no letter");
  expect(message.properties.headers?.exception).toContain("TypeError: broken");
  expect(JSON.parse(message.content.toString())).toEqual({ n: 1 });
  channel.nack(message);
});
