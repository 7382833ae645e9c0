import { deadLetters } from "@papa-events/core";
import { expect, test } from "vitest";
import { Space } from "../support/broker.ts";
import { json } from "../support/original.ts";
import { until } from "../support/wait.ts";

const foreign = {
  number: 5,
  large: 2 ** 40,
  fraction: 1.5,
  // amqplib would send it in a type that the original cannot send again.
  negative: { "!": "int", value: -5 },
  yes: true,
  none: null,
  twice: ["a", "b"],
  bytes: Buffer.from([0, 255, 128]),
  when: { "!": "timestamp", value: 1_700_000_000 },
  huge: -(2 ** 63),
  table: { inner: [1, "x", { "!": "int", value: -1 }] },
  text: "täxt",
};
const back = { ...foreign, negative: -5, table: { inner: [1, "x", -1] } };

test("L5 headers that are no text come back from retry, dead letter and redrive as they were", async () => {
  const space = new Space();
  const channel = await space.channel();
  const app = space.app({ retries: 1, retryDelay: 100 });
  const seen: unknown[] = [];
  app.onEvent("x", { useCase: "uc" }, (_, ctx) => {
    seen.push(ctx.headers);
    throw new Error("no");
  });
  await app.start();
  const properties = { contentType: "text/json", contentEncoding: "identity", replyTo: "answers", messageId: "m-1" };
  channel.publish(space.name("domain_events"), "x", json(1), { ...properties, headers: foreign });
  await until("the dead letter", async () => (await app.deadLetters("uc").count()) === 1);
  expect(seen).toHaveLength(2);
  expect(seen[1]).toEqual(seen[0]);
  expect(seen[0]).toMatchObject({ number: "5", text: "täxt", twice: "a", yes: "true" });
  const [item] = (await app.deadLetters("uc").list()).items;
  expect(item?.headers).toMatchObject(seen[0] as object);
  expect(item?.headers).not.toHaveProperty("exception");
  const letter = await channel.get(space.name("uc.dlq"));
  if (letter === false) throw new Error("no dead letter");
  expect(letter.properties.headers).toMatchObject(back);
  expect(letter.properties).toMatchObject({ ...properties, messageId: "m-1" });
  channel.nack(letter);
  await app.stop();
  await until("it is in its queue again", async () => (await space.size("uc.dlq")) === 1);
  const letters = deadLetters(space.transport(), "uc");
  expect(await letters.redrive("all")).toBe(1);
  await letters.close();
  const redriven = await channel.get(space.name("uc"));
  if (redriven === false) throw new Error("nothing was redriven");
  expect(redriven.properties.headers).toMatchObject({ ...back, papa_redriven: "1" });
  expect(redriven.properties).toMatchObject({ ...properties, messageId: "m-1" });
  channel.ack(redriven);
});

for (const [what, headers] of Object.entries({
  "one header of 47 KiB": { large: "h".repeat(47 * 1_024) },
  "2,000 small headers": Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`header-${n}`, `v${n}`])),
  "5,000 headers": Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`h${n}`, ""])),
})) {
  test(`D5 an event with ${what} and a long error can be retried and dead-lettered`, async () => {
    const space = new Space();
    const channel = await space.channel();
    const attempts: number[] = [];
    const app = space.app({ retries: 1, retryDelay: 100 });
    app.onEvent("x", { useCase: "uc" }, (_, ctx) => {
      attempts.push(ctx.attempt);
      const error = new Error("ü".repeat(20_000));
      error.stack = "s".repeat(100_000);
      throw error;
    });
    await app.start();
    channel.publish(space.name("domain_events"), "x", json({ kept: true }), { headers });
    await until("the dead letter", async () => (await app.deadLetters("uc").count()) === 1);
    expect(attempts).toEqual([1, 2]);
    const [item] = (await app.deadLetters("uc").list()).items;
    expect(item).toMatchObject({ eventName: "x", payload: { kept: true }, reason: "retries-exhausted", attempts: 2 });
    expect(item?.error.message).toMatch(/^ü/);
    expect(app.health()).toMatchObject({ healthy: true });
  });
}

test("D5 our own event with as many headers as are allowed is refused at the call, or can be dead-lettered", async () => {
  const space = new Space();
  const app = space.app({ retries: 0 });
  app.onEvent("x", { useCase: "uc" }, () => {
    throw new Error("no");
  });
  await app.start();
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`_${n.toString(36)}`, ""]));
  await app.newEvent("x", 1, { headers: many(5_000) });
  await until("the dead letter", async () => (await app.deadLetters("uc").count()) === 1);
  await expect(app.newEvent("x", 1, { headers: many(8_000) })).rejects.toMatchObject({ code: "headers-too-large" });
});
