import type { Connection } from "@papa-events/core/transport";
import { expect, onTestFinished, test, vi } from "vitest";
import { declaration, Space } from "../support/broker.ts";
import { instrument } from "../support/instrument.ts";
import { json } from "../support/original.ts";
import { until } from "../support/wait.ts";

/** More than are looked at without copies. */
const COUNT = 2_200;
const uc = declaration("uc", "x");

async function withLettersOfTheOriginal(space: Space): Promise<Connection> {
  const connection = await space.connect();
  await connection.declarations.declare([uc]);
  const channel = await space.channel();
  for (let n = 0; n < COUNT; n += 1) channel.publish("", space.name("uc.dlq"), json(n), { messageId: `m${n}` });
  await channel.waitForConfirms();
  return connection;
}

/** What an app does a while after it has begun to consume, to be done now. */
async function planned(connection: Connection): Promise<() => void> {
  const timers = vi.spyOn(globalThis, "setTimeout");
  onTestFinished(() => timers.mockRestore());
  await connection.subscribe("uc", { readAhead: 1, declaration: uc.id }, () => {});
  const later = timers.mock.calls.find(([, delay = 0]) => delay > 30_000 && delay < 60_000);
  if (later === undefined) throw new Error("nothing is planned");
  return later[0];
}

test("D2 instances that start over many dead letters of the original look at them once, and the first page is there", async () => {
  const space = new Space();
  const spans = instrument(await space.channel(), () => ({}));
  const taken = () => spans.filter(({ kind, queue }) => kind === "consumer" && queue === space.name("uc.dlq")).length;
  const first = await withLettersOfTheOriginal(space);
  const second = await space.connect();
  await second.declarations.declare([uc]);
  for (const prepare of [await planned(first), await planned(second)]) prepare();
  await until("copies are made", async () => (await space.size("uc:recent").catch(() => 0)) > 500);
  const letters = (await space.connect({ operator: true })).deadLetters("uc");
  const { items } = await letters.list({ limit: 3, order: "newest" });
  expect(items.map(({ event }) => JSON.parse(Buffer.from(event.body).toString()))).toEqual([2_199, 2_198, 2_197]);
  expect(await letters.count()).toBe(COUNT);
  // A look may take some copies besides, fewer than another look would.
  expect(taken()).toBeLessThan(2 * (COUNT - 1));
});

test("L2 a stop does not wait for the copies, and gives all dead letters back", async () => {
  const space = new Space();
  const connection = await withLettersOfTheOriginal(space);
  (await planned(connection))();
  await until("it looks", async () => (await space.size("uc.dlq")) < COUNT);
  await connection.close();
  await until("all are back", async () => (await space.size("uc.dlq")) === COUNT);
});
