import { PapaApp } from "@papa-events/core";
import { amqp } from "@papa-events/transport-amqp";
import type { GetMessage } from "amqplib";
import { expect, test } from "vitest";
import { quiet, Space } from "../support/broker.ts";
import { until } from "../support/wait.ts";

test("L5 a plain event has no headers; its properties carry all of it, also through a retry and a dead letter", async () => {
  const space = new Space();
  const seen: unknown[] = [];
  const app = space.app({ name: "billing" });
  app.onEvent("user.made", { useCase: "uc", retries: 1, retryDelay: 100 }, (_, { id, time, attempt, headers }) => {
    seen.push({ id, time: time.getTime(), attempt, headers: { ...headers } });
    throw new Error("no");
  });
  await app.start();
  const channel = await space.channel();
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, space.name("domain_events"), "#");
  const before = Date.now();
  const { id } = await app.newEvent("user.made", { n: 1 });
  await app.newEvent("user.made", { n: 2 }, { id: "my-own", headers: { tenant: "t" } });
  const messages: GetMessage[] = [];
  await until("both", async () => {
    const message = await channel.get(queue, { noAck: true });
    if (message !== false) messages.push(message);
    return messages.length === 2;
  });
  const [plain, other] = messages;
  const carried = { type: "user.made", contentType: "application/json", appId: "billing", deliveryMode: 2 };
  expect(plain?.properties).toMatchObject({ ...carried, messageId: id, headers: {} });
  expect(plain?.properties.headers).toEqual({});
  // An id of one's own tells no time.
  expect(Object.keys(other?.properties.headers ?? {}).sort()).toEqual(["ce_time", "tenant"]);
  await until("both are dead", async () => (await app.deadLetters("uc").count()) === 2);
  const times = (seen as { id: string; time: number }[]).filter((each) => each.id === id).map(({ time }) => time);
  expect(times).toHaveLength(2);
  expect(new Set(times).size).toBe(1);
  expect(times[0]).toBeGreaterThanOrEqual(before);
  const { items } = await app.deadLetters("uc").list({ order: "oldest" });
  const letter = items.find((each) => each.eventId === id);
  expect(letter).toMatchObject({ eventName: "user.made", headers: { ce_source: "billing", ce_id: id } });
  expect(new Date(letter?.headers.ce_time ?? "").getTime()).toBe(times[0]);
});

test("L5 with cloudEvents events carry its attributes as the AMQP binding spells them, and both spellings are read", async () => {
  const space = new Space();
  const seen: unknown[] = [];
  const app = new PapaApp({ transport: amqp({ uri: space.url(), cloudEvents: true }), logger: quiet, name: "billing" });
  app.onEvent("user.*", { useCase: "uc" }, (_, { id, time, eventName }) => {
    seen.push([eventName, id, time.toISOString()]);
  });
  await app.start();
  try {
    const channel = await space.channel();
    const { queue } = await channel.assertQueue("", { exclusive: true });
    await channel.bindQueue(queue, space.name("domain_events"), "user.made");
    const { id } = await app.newEvent("user.made", 1);
    let message: GetMessage | false = false;
    await until("it", async () => (message = await channel.get(queue, { noAck: true })) !== false);
    const { headers } = (message as unknown as GetMessage).properties;
    expect(headers).toMatchObject({
      "cloudEvents:specversion": "1.0",
      "cloudEvents:id": id,
      "cloudEvents:type": "user.made",
      "cloudEvents:source": "billing",
    });
    const time = "2024-05-06T07:08:09.123Z";
    for (const prefix of ["cloudEvents:", "cloudEvents_"]) {
      const attributes = { [`${prefix}id`]: `of ${prefix}`, [`${prefix}time`]: time, [`${prefix}source`]: "/other" };
      channel.publish(space.name("domain_events"), "user.other", Buffer.from("1"), { headers: attributes });
    }
    await until("all", () => seen.length === 3);
    expect(seen.slice(1)).toEqual([
      ["user.other", "of cloudEvents:", time],
      ["user.other", "of cloudEvents_", time],
    ]);
  } finally {
    await app.stop();
  }
});
