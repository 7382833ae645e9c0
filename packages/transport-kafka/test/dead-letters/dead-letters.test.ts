import type { Delivery } from "@papa-events/core/transport";
import { expect, test } from "vitest";
import { makeTopic, produceFrom } from "../support/admin.ts";
import { brokerUri, declare, event, Space, subscribing } from "../support/space.ts";
import { until } from "../support/wait.ts";

const small = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, number) => [`x-header-${number}`, `value ${number}`]));

test.each([
  ["one header of 47 KiB", { large: "x".repeat(47 * 1_024) }],
  ["one header of 200 KiB", { large: "x".repeat(200 * 1_024), small: "kept" }],
  ["2,000 small headers", small(2_000)],
  ["5,000 headers", small(5_000)],
])("D5 an event with %s is retried, and given up with the longest of errors", async (_, headers) => {
  const space = new Space();
  const attempts: number[] = [];
  const app = space.app({ retries: 1, retryDelay: 50 });
  app.onEvent("stuffed", { useCase: "reader" }, (_payload, { attempt }) => {
    attempts.push(attempt);
    const error = new Error("m".repeat(100_000));
    error.stack = "s".repeat(1_000_000);
    throw error;
  });
  // Its owner lets it have larger events than the library's own.
  await makeTopic(brokerUri(), `${space.prefix}.stuffed`, { "max.message.bytes": "4000000" });
  await app.start();
  const payload = "p".repeat(1_048_574);
  await produceFrom(brokerUri(), `${space.prefix}.stuffed`, { value: JSON.stringify(payload), headers });
  const letters = app.deadLetters("reader");
  await until("it is dead", async () => (await letters.count()) === 1);
  expect(attempts).toEqual([1, 2]);
  const { items } = await letters.list();
  expect(items[0]?.payload).toBe(payload);
  expect(items[0]).toMatchObject({ reason: "retries-exhausted", attempts: 2, error: { name: "Error" } });
});

test("D5 an event that is larger than any of the library's own is retried, given up and redriven", async () => {
  const space = new Space();
  const attempts: number[] = [];
  const app = space.app({ retries: 1, retryDelay: 50 });
  app.onEvent("huge", { useCase: "reader" }, (_, { attempt }) => {
    attempts.push(attempt);
    if (attempts.length < 3) throw new Error("not yet");
  });
  await makeTopic(brokerUri(), `${space.prefix}.huge`, { "max.message.bytes": "10000000" });
  await app.start();
  await produceFrom(brokerUri(), `${space.prefix}.huge`, { value: JSON.stringify("p".repeat(8_000_000)) });
  const letters = app.deadLetters("reader");
  await until("it is dead", async () => (await letters.count()) === 1);
  await letters.redrive("all");
  await until("it is handled", () => attempts.length === 3);
  expect(attempts).toEqual([1, 2, 1]);
});

test("D4 a dead letter that was stored twice is listed and redriven once, in the place of the second time", async () => {
  const space = new Space();
  const connection = await space.connect();
  await declare(connection, "twice", ["dead"]);
  const deliveries: Delivery[] = [];
  await connection.subscribe("twice", subscribing(10), (delivery) => deliveries.push(delivery));
  await connection.publish([event("dead"), event("dead"), event("dead")]);
  await until("all are delivered", () => deliveries.length === 3);
  for (const [index, id] of ["first", "second", "first"].entries())
    expect(await deliveries[index]?.settle({ kind: "dead", id, event: event("dead", index) })).toBe("stored");
  const letters = connection.deadLetters("twice");
  const ids = async (order: "oldest" | "newest") =>
    (await letters.list({ limit: 10, order })).items.map(({ id }) => id);
  expect(await ids("oldest")).toEqual(["second", "first"]);
  expect(await ids("newest")).toEqual(["first", "second"]);
  const revived: string[] = [];
  const count = await letters.redrive("all", (letter) => {
    revived.push(letter.id);
    return event("dead");
  });
  expect([count, revived]).toEqual([2, ["second", "first"]]);
});
