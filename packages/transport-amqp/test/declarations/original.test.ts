import { deadLetters } from "@papa-events/core";
import type { Channel, GetMessage } from "amqplib";
import { expect, test } from "vitest";
import { Space } from "../support/broker.ts";
import { until } from "../support/wait.ts";

/** The queues as papa-events 0.106.0 declares them. */
async function declareAsOriginal(channel: Channel, space: Space, useCase: string, pattern: string, ttl = 10_000) {
  const name = (each: string) => space.name(each);
  const queue = name(useCase);
  const quorum = { "x-queue-type": "quorum" };
  await channel.assertExchange(name("domain_events"), "topic", { durable: true });
  await channel.assertExchange(name("domain_events.retry"), "direct", { durable: true });
  await channel.assertExchange(name("domain_events.dlq"), "direct", { durable: true });
  await channel.assertQueue(queue, {
    arguments: {
      ...quorum,
      "x-dead-letter-exchange": name("domain_events.retry"),
      "x-dead-letter-routing-key": queue,
    },
  });
  await channel.assertQueue(`${queue}.retry`, {
    arguments: {
      ...quorum,
      "x-message-ttl": ttl,
      "x-dead-letter-exchange": name("domain_events"),
      "x-dead-letter-routing-key": queue,
    },
  });
  await channel.assertQueue(`${queue}.dlq`, { arguments: quorum });
  await channel.bindQueue(queue, name("domain_events"), pattern);
  await channel.bindQueue(queue, name("domain_events"), queue);
  await channel.bindQueue(`${queue}.retry`, name("domain_events.retry"), queue);
  await channel.bindQueue(`${queue}.dlq`, name("domain_events.dlq"), queue);
}

const json = (payload: unknown) => Buffer.from(JSON.stringify(payload));
/** As its client library sets them. */
const asOriginal = { messageId: "0123456789abcdef0123456789abcdef", deliveryMode: 1, priority: 0, headers: {} };

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

test("T1, H6 retries by the original keep their name and count on here", async () => {
  const space = new Space();
  const channel = await space.channel();
  await declareAsOriginal(channel, space, "uc", "user.*", 200);
  const queue = space.name("uc");
  channel.publish(space.name("domain_events"), "user.created", json({ n: 1 }), asOriginal);
  // The original's consumer rejects twice.
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    await until("a message to reject", async () => {
      const message = await channel.get(queue);
      if (message !== false) channel.nack(message, false, false);
      return message !== false;
    });
  }
  const got: unknown[] = [];
  const app = space.app({ retries: 3, retryDelay: 100 });
  app.onEvent("user.*", { useCase: "uc" }, (_, ctx) => {
    got.push([ctx.eventName, ctx.attempt, ctx.headers]);
    throw new Error("no");
  });
  await app.start();
  await until("the dead letter", async () => (await app.deadLetters("uc").count()) === 1);
  expect(got).toEqual([
    ["user.created", 3, {}],
    ["user.created", 4, {}],
  ]);
  const [letter] = (await app.deadLetters("uc").list()).items;
  expect(letter).toMatchObject({ eventName: "user.created", attempts: 4, eventId: asOriginal.messageId });
});

test("T4, T6 an event goes back and forth between both, counted once each, and none of it is a crash", async () => {
  const space = new Space();
  const channel = await space.channel();
  await declareAsOriginal(channel, space, "uc", "user.*", 100);
  const queue = space.name("uc");
  const take = async () => {
    const taken: GetMessage[] = [];
    await until("a message", async () => {
      const message = await channel.get(queue);
      if (message !== false) taken.push(message);
      return taken.length > 0;
    });
    return taken[0] as GetMessage;
  };
  channel.publish(space.name("domain_events"), "user.created", json({}), asOriginal);
  channel.nack(await take(), false, false);
  const connection = await space.transport().connect({ appName: "x", logger: console, onStatus: () => {} });
  try {
    await connection.declare([{ name: "uc", patterns: ["user.*"] }]);
    const { encodeRetry } = await import("../../../core/src/wire/failure.ts");
    const { EventReader } = await import("../../../core/src/wire/decode.ts");
    const error = { name: "E", message: "m", stack: "" };
    const seen: number[] = [];
    const crashes: number[] = [];
    const names: (string | undefined)[] = [];
    let settled: Promise<void> | undefined;
    const subscription = await connection.subscribe("uc", 1, (delivery) => {
      seen.push(delivery.attempt);
      crashes.push(delivery.crashes);
      const reader = new EventReader(delivery.event, Date);
      const event = encodeRetry({ reader, body: delivery.event.body }, delivery.attempt + 1, error, Date.now());
      settled = delivery.settle({ kind: "retry", delay: 100, event });
    });
    await until("a delivery", () => settled !== undefined);
    await subscription.stop();
    await settled;
    // The original rejects it again.
    const message = await take();
    expect(message.properties.headers).toMatchObject({ ce_type: "user.created", papa_attempt: "3" });
    channel.nack(message, false, false);
    await until("its return", async () => (await space.size("uc")) === 1);
    await new Promise<void>((resolve) => {
      void connection.subscribe("uc", 1, (delivery) => {
        seen.push(delivery.attempt);
        crashes.push(delivery.crashes);
        names.push(delivery.event.name);
        void delivery.settle({ kind: "done", outputs: [] }).then(resolve);
      });
    });
    expect(names).toEqual(["user.created"]);
    expect(seen).toEqual([2, 4]);
    expect(crashes).toEqual([0, 0]);
  } finally {
    await connection.close();
  }
});

test("R3 retries of the original that leak to other use cases are dropped", async () => {
  const space = new Space();
  const channel = await space.channel();
  await declareAsOriginal(channel, space, "other", "user.*", 100);
  const got: string[] = [];
  const app = space.app().onEvent("#", { useCase: "uc" }, (_, ctx) => void got.push(ctx.eventName));
  await app.start();
  channel.publish(space.name("domain_events"), "user.created", json({}), asOriginal);
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    await until("a message to reject", async () => {
      const message = await channel.get(space.name("other"));
      if (message !== false) channel.nack(message, false, false);
      return message !== false;
    });
  }
  await until("the second return", async () => (await space.size("other")) === 1);
  await app.newEvent("end", {});
  await until("the end", () => got.includes("end"));
  expect(got).toEqual(["user.created", "end"]);
});

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
  const connection = await space.transport().connect({ appName: "x", logger: console, onStatus: () => {} });
  await connection.declare([{ name: "uc", patterns: ["user.created"] }]);
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
