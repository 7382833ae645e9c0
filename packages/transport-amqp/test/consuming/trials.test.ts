import { expect, test } from "vitest";
import { Space } from "../support/broker.ts";
import { until } from "../support/wait.ts";

test("T6 a trial that was never taken back is found by whoever comes next, and one that was is not", async () => {
  const space = new Space();
  const first = await space.connect();
  expect(await first.trials?.begin("uc", "event", "one")).toBe(0);
  expect(await first.trials?.begin("uc", "other", "two")).toBe(0);
  expect(await first.trials?.begin("uc", "event", "three")).toBe(1);
  await first.close();
  const second = await space.connect();
  expect(await second.trials?.begin("uc", "event", "four")).toBe(2);
  await second.trials?.end("uc", "event", "four");
  await second.trials?.end("uc", "event", "one");
  expect(await second.trials?.begin("uc", "event", "five")).toBe(1);
  expect(await second.trials?.begin("another", "event", "six")).toBe(0);
  await second.trials?.end("uc", "event");
  await second.trials?.end("uc", "never-tried");
  expect(await second.trials?.begin("uc", "event", "seven")).toBe(0);
  expect(await second.trials?.begin("another", "event", "eight")).toBe(1);
});

test("T6 trials that begin at once in many processes are all recorded", async () => {
  const space = new Space();
  const connections = await Promise.all(Array.from({ length: 8 }, () => space.connect()));
  await Promise.all(connections.map((each, n) => each.trials?.begin("uc", "event", `trial-${n}`)));
  expect(await connections[0]?.trials?.begin("uc", "event", "last")).toBe(8);
});

test("T6 the records of events that have vanished do not pile up", async () => {
  const space = new Space();
  const connection = await space.connect();
  await connection.trials?.begin("uc", "gone", "first");
  const channel = await space.channel();
  const records = Array.from({ length: 1_000 }, (_, n) => ({ useCase: "uc", eventId: `gone-${n}`, trial: `t-${n}` }));
  channel.sendToQueue(space.name("domain_events:trials"), Buffer.from(JSON.stringify(records)));
  await until("both messages", async () => (await space.size("domain_events:trials")) === 2);
  await connection.trials?.begin("uc", "event", "one");
  expect(await connection.trials?.begin("uc", "gone", "last")).toBe(0);
  expect(await connection.trials?.begin("uc", "gone-999", "last-2")).toBe(1);
});
