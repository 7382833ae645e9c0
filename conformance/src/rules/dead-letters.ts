import assert from "node:assert/strict";
import { DeadLetter, type DeadLetterItem, type DeadLetters } from "@papa-events/core";
import { Calls } from "../rig/calls.ts";
import type { Rig } from "../rig/rig.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, rule } from "../rule.ts";
import { numbers, sorted } from "./events.ts";
import { code } from "./publishing.ts";

/** Longer than any of the delays of these tests: what expires with a retry is gone by then. */
const KEPT = 2_500;

/** D1 to D4. */
export const deadLetterRules: readonly RuleTest[] = [
  rule("D1", "a dead letter keeps the bytes, headers, name, id, reason, error and times, and stays", async (rig) => {
    const fail = new Calls(({ attempt }) => {
      throw new TypeError(`attempt ${attempt} ✗`);
    });
    const app = rig.app({ retries: 1, retryDelay: 300 }).onEvent("*.died", { useCase: "archive" }, fail.handler);
    await app.start();
    const payload = { ключ: ["☃", 1.5, null] };
    const headers = { tenant: "äö", traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
    const before = Date.now();
    const { id } = await app.newEvent("it.died", payload, { headers });
    const letters = rig.letters("archive");
    await rig.until("it is a dead letter", async () => (await letters.count()) === 1);
    await pause(KEPT);
    const [letter] = (await letters.list()).items;
    assert(letter !== undefined, "it is gone");
    assert.equal(Buffer.from(letter.body).toString(), JSON.stringify(payload));
    assert.deepEqual(letter.payload, payload);
    const { eventId, useCase, eventName, reason, attempts } = letter;
    const expected = {
      eventId: id,
      useCase: "archive",
      eventName: "it.died",
      reason: "retries-exhausted",
      attempts: 2,
    };
    assert.deepEqual({ eventId, useCase, eventName, reason, attempts }, expected);
    for (const [name, value] of Object.entries(headers)) assert.equal(letter.headers[name], value);
    assert.equal(letter.headers.ce_id, id);
    assert.equal(letter.error.name, "TypeError");
    assert.equal(letter.error.message, "attempt 2 ✗");
    assert.match(letter.error.stack, /TypeError: attempt 2/);
    const [first, last] = [letter.firstFailedAt.getTime(), letter.lastFailedAt.getTime()];
    assert(first >= before - 1_000 && last - first >= 300 && last <= Date.now() + 1_000, `${first} ${last}`);
    assert.deepEqual(await letters.get(letter.id), letter);
  }),

  rule("D2", "dead letters are counted, paged both ways and found by id, with no app running", async (rig) => {
    const ids = await bury(rig, "shelf", 23);
    const letters = rig.letters("shelf");
    assert.equal(await letters.count(), 23);
    const oldest = await pages(letters, "oldest", 10);
    const newest = await pages(letters, "newest", 4);
    assert.deepEqual(
      oldest.map(({ eventId }) => eventId),
      ids,
    );
    assert.deepEqual(
      newest.map(({ id }) => id),
      oldest.map(({ id }) => id).reverse(),
    );
    const middle = oldest[11];
    assert(middle !== undefined);
    assert.deepEqual(await letters.get(middle.id), middle);
    assert.equal(await letters.get("no-such-id"), undefined);
  }),

  rule("D2", "one, some or all are redriven and purged; ids that are gone count 0", async (rig) => {
    await bury(rig, "acted", 12);
    const letters = rig.letters("acted");
    const [a, b, c, d, e] = (await letters.list({ order: "oldest" })).items;
    assert(a !== undefined && b !== undefined && c !== undefined && d !== undefined && e !== undefined);
    assert.equal(await letters.redrive([a.id]), 1);
    assert.equal(await letters.redrive([a.id, b.id, c.id, "no-such-id"]), 2);
    assert.equal(await letters.purge([d.id]), 1);
    assert.equal(await letters.purge([d.id, "no-such-id", e.id]), 1);
    assert.equal(await letters.count(), 7);
    assert.equal(await letters.get(d.id), undefined);
    assert.deepEqual(
      (await letters.list()).items.filter(({ id }) => [a.id, b.id, c.id, d.id, e.id].includes(id)),
      [],
    );
    const calls = new Calls();
    const app = rig.app().onEvent("buried", { useCase: "acted" }, calls.handler);
    await app.start();
    await rig.until("three are handled", () => calls.count >= 3);
    assert.equal(await letters.redrive("all"), 7);
    await rig.until("the others are handled", () => calls.count >= 10);
    assert.equal(await letters.count(), 0);
    assert.equal(await letters.redrive("all"), 0);
    assert.equal(await letters.purge("all"), 0);
    await rig.untilEmpty(app);
    assert.equal(calls.count, 10);
  }),

  rule("D2", "purging all leaves none, and a use case that nobody declared is a typed error", async (rig) => {
    await bury(rig, "purged", 5);
    const letters = rig.letters("purged");
    assert.equal(await letters.purge("all"), 5);
    assert.equal(await letters.count(), 0);
    await assert.rejects(rig.letters("never_declared").count(), code("unknown-use-case"));
  }),

  rule("D3", "a hundred listings change nothing: not order, not content, not counters", async (rig) => {
    const ids = await bury(rig, "looked_at", 5);
    const letters = rig.letters("looked_at");
    const before = (await letters.list({ order: "oldest" })).items;
    for (const _ of numbers(100)) {
      const { items } = await letters.list({ order: "oldest" });
      assert.deepEqual(items, before);
    }
    await letters.list({ limit: 2, order: "newest" });
    assert.equal(await letters.count(), 5);
    assert.deepEqual(
      before.map(({ eventId }) => eventId),
      ids,
    );
    assert.equal(await letters.redrive("all"), 5);
    const calls = new Calls();
    const app = rig.app().onEvent("buried", { useCase: "looked_at" }, calls.handler);
    await app.start();
    await rig.until("all are handled", () => calls.count >= 5);
    assert.deepEqual(sorted(calls.ids), sorted(ids));
    assert.deepEqual(new Set(calls.attempts), new Set([1]));
  }),

  rule("D4", "redriving puts the event back to the failing use case only, attempt 1, same id", async (rig) => {
    let healed = false;
    const failing = new Calls(() => {
      if (!healed) throw new Error("ill");
    });
    const others = [new Calls(), new Calls()];
    const app = rig.app({ retries: 1, retryDelay: 50 }).onEvent("seen", { useCase: "ill" }, failing.handler);
    for (const [index, calls] of others.entries())
      app.onEvent(["seen", "#", "ill"], { useCase: `well_${index}` }, calls.handler);
    await app.start();
    const { id } = await app.newEvent("seen", { n: 1 }, { headers: { tenant: "t-1" } });
    const letters = app.deadLetters("ill");
    await rig.until("it is a dead letter", async () => (await letters.count()) === 1);
    assert.equal(await letters.redrive("all"), 1);
    await rig.until(
      "it is dead again, after as many retries",
      async () => failing.count === 4 && (await letters.count()) === 1,
    );
    healed = true;
    assert.equal(await letters.redrive("all"), 1);
    await rig.until("it is handled", () => failing.count === 5);
    await rig.untilEmpty(app);
    assert.deepEqual(failing.attempts, [1, 2, 1, 2, 1]);
    assert.deepEqual(new Set(failing.ids), new Set([id]));
    for (const { name, payload, headers } of failing.list)
      assert.deepEqual([name, payload, { ...headers }], ["seen", { n: 1 }, { tenant: "t-1" }]);
    for (const calls of others) assert.deepEqual(calls.ids, [id]);
    assert.equal(await letters.count(), 0);
  }),

  rule("D4", "a lost connection in the middle of redriving all may duplicate, never lose", async (rig) => {
    const ids = await bury(rig, "many", 60);
    const calls = new Calls();
    const app = rig.app().onEvent("buried", { useCase: "many" }, calls.handler);
    await app.start();
    const letters = rig.letters("many");
    await letters.count();
    const redriving = letters.redrive("all").catch(() => 0);
    await rig.faults.cut();
    await redriving;
    await rig.until("the rest can be redriven", async () => {
      try {
        await letters.redrive("all");
        return (await letters.count()) === 0;
      } catch {
        // The connection may not be back yet.
        return false;
      }
    });
    await rig.until("all are handled", () => calls.distinct === 60);
    assert.deepEqual(sorted([...new Set(calls.ids)]), sorted(ids));
    assert.deepEqual(new Set(calls.attempts), new Set([1]));
  }),
];

/** Makes dead letters one after the other, ends the app, and resolves to the events' ids, oldest first. */
async function bury(rig: Rig, useCase: string, count: number): Promise<string[]> {
  const calls = new Calls(() => {
    throw new DeadLetter("buried");
  });
  const app = rig.app({ concurrency: 1 }).onEvent("buried", { useCase }, calls.handler);
  await app.start();
  const letters = app.deadLetters(useCase);
  for (const number of numbers(count)) {
    await app.newEvent("buried", { number });
    await rig.until("it is a dead letter", async () => (await letters.count()) === number + 1);
  }
  await app.stop();
  return calls.ids;
}

async function pages(letters: DeadLetters, order: "oldest" | "newest", limit: number): Promise<DeadLetterItem[]> {
  const all: DeadLetterItem[] = [];
  let after: string | undefined;
  do {
    const page = await letters.list({ limit, order, after });
    assert(page.items.length <= limit && page.items.length > 0, `a page of ${page.items.length}`);
    all.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return all;
}
