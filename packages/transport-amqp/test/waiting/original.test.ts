import type { Settled } from "@papa-events/core/transport";
import type { GetMessage } from "amqplib";
import { expect, test } from "vitest";
import { declaration, Space } from "../support/broker.ts";
import { asOriginal, declareAsOriginal, json } from "../support/original.ts";
import { until } from "../support/wait.ts";

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
  const [deadLetter] = (await app.deadLetters("uc").list()).items;
  expect(deadLetter).toMatchObject({ eventName: "user.created", attempts: 4, eventId: asOriginal.messageId });
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
  const connection = await space.connect({ appName: "x" });
  try {
    await connection.declarations.declare([declaration("uc", "user.*")]);
    const seen: number[] = [];
    const redeliveries: number[] = [];
    const names: (string | undefined)[] = [];
    let settled: Promise<Settled> | undefined;
    const subscription = await connection.subscribe("uc", { readAhead: 1, declaration: "" }, (delivery) => {
      seen.push(delivery.attempt);
      redeliveries.push(delivery.redeliveries);
      const { name = "", body } = delivery.event;
      const headers = { ce_type: name, papa_attempt: String(delivery.attempt + 1) };
      const event = { name, id: asOriginal.messageId, time: 0, headers, body };
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
      void connection.subscribe("uc", { readAhead: 1, declaration: "" }, (delivery) => {
        seen.push(delivery.attempt);
        redeliveries.push(delivery.redeliveries);
        names.push(delivery.event.name);
        void delivery.settle({ kind: "done", outputs: [] }).then(() => resolve());
      });
    });
    expect(names).toEqual(["user.created"]);
    expect(seen).toEqual([2, 4]);
    expect(redeliveries).toEqual([0, 0]);
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

test.each([["user.*", "order.#"], ["user.made", "user.gone"], ["#"]])(
  "D4, L5 a dead letter of the original whose name is lost is handled once it is redriven, where the patterns are %s",
  async (...patterns) => {
    const space = new Space();
    const channel = await space.channel();
    await declareAsOriginal(channel, space, "uc", "user.*");
    const exception = "Traceback (most recent call last):\nValueError: boom";
    const died = { ...asOriginal, headers: { exception } };
    channel.publish(space.name("domain_events.dlq"), space.name("uc"), json({ n: 1 }), died);
    const got: unknown[] = [];
    const app = space.app({ retries: 1, retryDelay: 100 });
    app.onEvent(patterns, { useCase: "uc" }, (payload, { eventName, attempt, id }) => {
      got.push([payload, eventName, attempt, id]);
      if (attempt === 1) throw new Error("once");
    });
    await app.start();
    expect(await app.deadLetters("uc").redrive("all")).toBe(1);
    await until("both attempts", () => got.length === 2);
    await until("it is acknowledged", async () => (await app.stats()).uc?.inFlight === 0);
    expect(got).toEqual([1, 2].map((attempt) => [{ n: 1 }, "uc", attempt, asOriginal.messageId]));
    expect((await app.stats()).uc).toMatchObject({ ready: 0, waiting: 0, dead: 0 });
  },
);

test("L5 a message put straight into the queue that the original has rejected is handled here", async () => {
  const space = new Space();
  const channel = await space.channel();
  await declareAsOriginal(channel, space, "uc", "user.*", 100);
  const queue = space.name("uc");
  channel.publish("", queue, json(1), asOriginal);
  channel.publish("", queue, json(2), { ...asOriginal, type: "invoice.paid" });
  let rejected = 0;
  await until("both are rejected", async () => {
    const message = await channel.get(queue);
    if (message !== false) channel.nack(message, false, false);
    if (message !== false) rejected += 1;
    return rejected === 2;
  });
  const got: unknown[] = [];
  const app = space.app();
  app.onEvent("user.*", { useCase: "uc" }, (payload, { eventName, attempt }) => {
    got.push([payload, eventName, attempt]);
  });
  await app.start();
  await until("both are handled", () => got.length === 2);
  expect(got.sort()).toEqual([
    [1, "uc", 2],
    [2, "invoice.paid", 2],
  ]);
});
