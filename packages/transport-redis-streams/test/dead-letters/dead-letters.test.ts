import type { DeadLetterStore, StoredDeadLetter } from "@papa-events/core/transport";
import { expect, test } from "vitest";
import { pack } from "../../src/wire/packed-event.ts";
import { encoded } from "../support/events.ts";
import { declared, Space } from "../support/space.ts";

/** Puts dead letters `d-0` and so on where the transport keeps them. */
async function fill(space: Space, count: number, text = ""): Promise<DeadLetterStore> {
  const connection = await space.connect();
  await connection.declarations.declare([declared("uc", "x")]);
  const commands = space.redis.pipeline();
  for (let n = 0; n < count; n += 1) {
    commands.hset(space.key("dead:uc"), `d-${n}`, pack(encoded("x", { n, text })));
    commands.zadd(space.key("dead-order:uc"), n + 1, `d-${n}`);
  }
  await commands.exec();
  return connection.deadLetters("uc");
}

const again = ({ event }: StoredDeadLetter) => encoded("x", { again: String(event.text) });
const isEven = ({ id }: StoredDeadLetter) => Number(id.slice(2)) % 2 === 0;

test("D6 a scan gives each once in either order, and not those that die meanwhile", async () => {
  const space = new Space();
  const letters = await fill(space, 700);
  for (const order of ["oldest", "newest"] as const) {
    const ids: string[] = [];
    for await (const { id } of letters.scan(order)) {
      if (ids.push(id) === 1) {
        await space.redis.hset(space.key("dead:uc"), `late-${order}`, pack(encoded("x", "late")));
        await space.redis.zadd(space.key("dead-order:uc"), Date.now() * 1_000, `late-${order}`);
      }
    }
    const expected = Array.from({ length: 700 }, (_, n) => `d-${n}`);
    expect(ids.filter((id) => id.startsWith("d-"))).toEqual(order === "oldest" ? expected : expected.reverse());
    expect(ids).not.toContain(`late-${order}`);
  }
});

test("D6 a scan is bounded in bytes, and ends when the reader returns or it is aborted", async () => {
  const space = new Space();
  const letters = await fill(space, 40, "x".repeat(1_000_000));
  const page = await letters.list({ limit: 1_000, order: "oldest" });
  expect(page.items.length).toBeLessThan(17);
  expect(page.next).toBeDefined();
  const ended = new AbortController();
  const seen: string[] = [];
  for await (const { id } of letters.scan("oldest", ended.signal)) if (seen.push(id) === 12) ended.abort();
  expect(seen).toHaveLength(12);
  for await (const { id } of letters.scan("oldest")) if (seen.push(id) === 15) break;
  expect(seen).toHaveLength(15);
});

test("D6 what a test picks is redriven and purged, with progress", async () => {
  const space = new Space();
  const letters = await fill(space, 600);
  const told: object[] = [];
  const onProgress = (progress: object) => void told.push(progress);
  expect(await letters.redrive(isEven, again, { onProgress })).toBe(300);
  expect(told.at(-1)).toEqual({ seen: 600, done: 300 });
  expect(told.length).toBeGreaterThan(2);
  expect(await letters.purge(({ id }) => Number(id.slice(2)) < 101, { onProgress })).toBe(50);
  expect(told.at(-1)).toEqual({ seen: 300, done: 50 });
  expect(await letters.count()).toBe(250);
  expect(await letters.purge("all", { onProgress })).toBe(250);
  expect(told.at(-1)).toEqual({ seen: 250, done: 250 });
  expect(await letters.redrive(["d-1", "gone"], again, { onProgress })).toBe(0);
  expect(told.at(-1)).toEqual({ seen: 0, done: 0 });
  expect(await space.redis.xlen(space.key("queue:uc"))).toBe(300);
});

test("D6 a call that is aborted completes what is under way, and another does the rest", async () => {
  const space = new Space();
  const letters = await fill(space, 600);
  const stop = new AbortController();
  const first = await letters.redrive("all", again, { signal: stop.signal, onProgress: () => stop.abort() });
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThan(600);
  expect(await letters.redrive("all", again, { signal: stop.signal })).toBe(0);
  expect(await letters.purge("all", { signal: stop.signal })).toBe(0);
  expect(await letters.redrive("all", again)).toBe(600 - first);
  expect(await space.redis.xlen(space.key("queue:uc"))).toBe(600);
});

test("D6 those that die again while all are redriven are not taken by the same call", async () => {
  const space = new Space();
  const letters = await fill(space, 600);
  const deaths: Promise<unknown>[] = [];
  const count = await letters.redrive("all", again, {
    onProgress: () => {
      const id = `again-${deaths.length}`;
      deaths.push(
        space.redis.hset(space.key("dead:uc"), id, pack(encoded("x", 0))),
        space.redis.zadd(space.key("dead-order:uc"), 10_000 + deaths.length, id),
      );
    },
  });
  expect(count).toBe(600);
  await Promise.all(deaths);
  expect(await letters.count()).toBe(deaths.length / 2);
});

test("D4 a dead letter goes back as what is made of it", async () => {
  const space = new Space();
  const letters = await fill(space, 1);
  const mended = encoded("x", { mended: true }, { papa_mended: "2026-01-01T00:00:00.000Z" });
  expect(await letters.redrive(["d-0"], () => mended)).toBe(1);
  const [[, [, packed]] = ["", []]] = await space.redis.xrange(space.key("queue:uc"), "-", "+");
  expect(packed).toBe(pack(mended));
});

test("D2 positions whose dead letters somebody has deleted end no page early", async () => {
  const space = new Space();
  const letters = await fill(space, 10);
  await space.redis.hdel(space.key("dead:uc"), "d-0", "d-1", "d-4");
  const ids: string[] = [];
  for (let after: string | undefined, more = true; more; more = after !== undefined) {
    const page = await letters.list({ limit: 2, order: "oldest", after });
    ids.push(...page.items.map(({ id }) => id));
    after = page.next;
  }
  expect(ids).toEqual(["d-2", "d-3", "d-5", "d-6", "d-7", "d-8", "d-9"]);
});
