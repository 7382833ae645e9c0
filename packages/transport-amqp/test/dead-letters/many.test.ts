import { expect, test } from "vitest";
import { declaration, Space } from "../support/broker.ts";
import { json } from "../support/original.ts";
import { until } from "../support/wait.ts";

/** More than a quorum queue hands out to one consumer. */
const COUNT = 2_500;

test("D2, D3, D6 more dead letters than one consumer is given are paged, found, redriven by a filter and never wear out", {
  timeout: 120_000,
}, async () => {
  const space = new Space();
  const connection = await space.connect();
  await connection.declarations.declare([declaration("uc", "x")]);
  const channel = await space.channel();
  for (let n = 0; n < COUNT; n += 1) {
    const id = n.toString(16).padStart(8, "0");
    const headers = { ce_type: "x", ce_id: id, papa_reason: "rejected", papa_order: `1-${id}` };
    const properties = { headers, persistent: true, correlationId: id, messageId: id };
    channel.publish("", space.name("uc.dlq"), json(n), properties);
  }
  await channel.waitForConfirms();
  const other = await space.connect({ operator: true });
  const letters = connection.deadLetters("uc");
  const numberOf = ({ event }: { event: { body: Uint8Array } }) => Number(Buffer.from(event.body).toString());
  const page = async (order: "newest" | "oldest") => (await letters.list({ limit: 3, order })).items.map(numberOf);
  // More often than RabbitMQ 4 lets a message be returned.
  let leastDead = COUNT;
  let looking = true;
  const watching = (async () => {
    while (looking) leastDead = Math.min(leastDead, (await other.inspect("uc")).dead);
  })();
  for (let look = 0; look < 22; look += 1) expect(await page("newest")).toEqual([2_499, 2_498, 2_497]);
  expect(await page("oldest")).toEqual([0, 1, 2]);
  looking = false;
  await watching;
  expect(leastDead, "it was shown that there were none while somebody looked").toBeGreaterThan(0);
  expect(await letters.count()).toBe(COUNT);
  const [last] = (await letters.list({ limit: 1, order: "newest" })).items;
  expect(await letters.get(last?.id ?? "")).toEqual(last);
  let seen = 0;
  for await (const letter of letters.scan("newest")) expect(numberOf(letter)).toBe(COUNT - ++seen);
  expect(seen).toBe(COUNT);
  const revive = (letter: { event: { id?: string | undefined; body: Uint8Array } }) => ({
    name: "x",
    id: letter.event.id ?? "",
    time: 0,
    headers: { ce_type: "x", ce_id: letter.event.id ?? "" },
    body: letter.event.body,
  });
  expect(await letters.redrive((letter) => numberOf(letter) % 3 === 0, revive)).toBe(Math.ceil(COUNT / 3));
  expect(await letters.purge(["00000001", last?.id ?? "", "gone"])).toBe(1 + ((COUNT - 1) % 3 === 0 ? 0 : 1));
  await until("they are back", async () => (await space.size("uc")) === Math.ceil(COUNT / 3));
  expect(await page("oldest")).toEqual([2, 4, 5]);
});

test("D2 the newest of many are shown by their copies, and by the letters themselves where somebody else has changed those", {
  timeout: 120_000,
}, async () => {
  const space = new Space();
  const connection = await space.connect();
  await connection.declarations.declare([declaration("uc", "x")]);
  const channel = await space.channel();
  const letter = (n: number) => {
    const id = n.toString().padStart(8, "0");
    const headers = { ce_type: "x", ce_id: id, papa_reason: "rejected", papa_order: `1-${id}` };
    return { headers, persistent: true, correlationId: id, messageId: id };
  };
  for (let n = 0; n < COUNT; n += 1) channel.publish("", space.name("uc.dlq"), json(n), letter(n));
  await channel.waitForConfirms();
  const letters = connection.deadLetters("uc");
  const newest = async (limit = 2) =>
    (await letters.list({ limit, order: "newest" })).items.map(({ event }) =>
      Number(Buffer.from(event.body).toString()),
    );
  expect(await newest()).toEqual([COUNT - 1, COUNT - 2]);
  await until("copies are made", async () => (await space.size("uc:recent").catch(() => 0)) > 500);
  const shown = await newest(400);
  expect(shown).toEqual(Array.from({ length: 400 }, (_, n) => COUNT - 1 - n));
  const { next } = await letters.list({ limit: 400, order: "newest" });
  const second = await letters.list({ limit: 400, order: "newest", after: next });
  expect(Number(Buffer.from(second.items[0]?.event.body ?? []).toString())).toBe(COUNT - 401);
  // By a service of the original: its copy comes by the exchange, and has no place yet.
  channel.publish(space.name("domain_events.dlq"), space.name("uc"), json(-1), { messageId: "original" });
  await channel.waitForConfirms();
  const copies = await space.size("uc:recent");
  expect(await newest()).toEqual([-1, COUNT - 1]);
  expect(await space.size("uc:recent"), "the letters themselves were read").toBe(copies);
  expect(await newest(1)).toEqual([-1]);
  await until("it has a place, and its copy too", async () => (await space.size("uc:recent")) !== copies);
  const third = await letters.list({
    limit: 1,
    order: "newest",
    after: (await letters.list({ limit: 2, order: "newest" })).next,
  });
  expect(Number(Buffer.from(third.items[0]?.event.body ?? []).toString())).toBe(COUNT - 2);
  expect(await newest()).toEqual([-1, COUNT - 1]);
  // By another program: the numbers do not agree any more.
  channel.publish("", space.name("uc.dlq"), json(COUNT), letter(COUNT));
  await channel.waitForConfirms();
  expect(await newest(1)).toEqual([COUNT]);
  const id = letter(COUNT).correlationId;
  expect(await letters.purge([id])).toBe(1);
  expect(await newest(1)).toEqual([-1]);
  expect(await letters.get(id)).toBeUndefined();
});

test("D2 a dead letter that another program adds is shown though there are copies of later ones, and none that has gone", async () => {
  const space = new Space();
  const app = space.app({ retries: 0 }).onEvent("x", { useCase: "uc" }, () => {
    throw new Error("no");
  });
  await app.start();
  const channel = await space.channel();
  const letter = (n: number) => {
    const id = n.toString().padStart(8, "0");
    const headers = { ce_type: "x", ce_id: id, papa_reason: "rejected", papa_order: `${"1".padStart(15, "0")}-${id}` };
    return { headers, persistent: true, correlationId: id, messageId: id };
  };
  for (let n = 0; n < COUNT; n += 1) channel.publish("", space.name("uc.dlq"), json(n), letter(n));
  await channel.waitForConfirms();
  const letters = app.deadLetters("uc");
  const newest = async () => (await letters.list({ limit: 3, order: "newest" })).items.map(({ payload }) => payload);
  expect(await newest()).toEqual([COUNT - 1, COUNT - 2, COUNT - 3]);
  const copies = () => space.size("uc:recent").catch(() => 0);
  await until("copies are made", async () => (await copies()) > 500);
  channel.publish("", space.name("uc.dlq"), json(COUNT), letter(COUNT));
  await channel.waitForConfirms();
  const before = await copies();
  await app.newEvent("x", "ours");
  await until("its copy, and how many there are now, twice", async () => (await copies()) >= before + 3);
  expect(await newest()).toEqual(["ours", COUNT, COUNT - 1]);
  await until("copies are made anew", async () => (await copies()) < before + 3);
  // By copies, which waits until they have all been made: one that comes meanwhile may have its copy before older ones.
  expect(await newest()).toEqual(["ours", COUNT, COUNT - 1]);
  channel.publish(space.name("domain_events.dlq"), space.name("uc"), json("original"), { messageId: "original" });
  await channel.waitForConfirms();
  const [first] = (await letters.list({ limit: 3, order: "newest" })).items;
  expect(first?.payload).toBe("original");
  expect(await letters.purge([first?.id ?? ""])).toBe(1);
  expect(await copies(), "the others' copies are kept").toBeGreaterThan(500);
  expect(await newest()).toEqual(["ours", COUNT, COUNT - 1]);
});
