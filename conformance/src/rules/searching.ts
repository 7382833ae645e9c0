import assert from "node:assert/strict";
import { DeadLetter } from "@papa-events/core";
import type { DeadLetterStore } from "@papa-events/core/transport";
import { Calls } from "../rig/calls.ts";
import { type RuleTest, rule } from "../rule.ts";
import { Burier, buryMany, numberOf } from "./burying.ts";
import { numbers } from "./events.ts";

const LETTERS = 400;
const LARGE_BYTES = 1_000_000;
/** More than a page may hold of them, by their bytes. */
const LARGE_LETTERS = 24;

/** D6: looking through dead letters. */
export const searching: readonly RuleTest[] = [
  rule(
    "D6",
    "dead letters are searched by event, reason, words of the error and time, and acted on as a whole",
    async (rig) => {
      const calls = new Calls(({ name, payload, attempt }) => {
        const { number } = payload as { number: number };
        if (name === "search.poison") throw new DeadLetter(`no good: ${number}`);
        throw new RangeError(`ECONNREFUSED ${number % 2 === 0 ? "even" : "odd"} at attempt ${attempt}`);
      });
      const app = rig.app({ retries: 1, retryDelay: 50 }).onEvent("search.#", { useCase: "searched" }, calls.handler);
      await app.start();
      const letters = rig.letters("searched");
      const publish = async (names: readonly string[], from: number) => {
        for (const [index, name] of names.entries()) {
          await app.newEvent(name, { number: from + index });
          await rig.until("it is a dead letter", async () => (await letters.count()) === from + index + 1);
        }
      };
      await publish(["search.user.made", "search.poison", "search.user.gone", "search.poison"], 0);
      const between = (await letters.list()).items[0]?.lastFailedAt;
      assert(between !== undefined);
      // Letters tell their time in milliseconds.
      await rig.until("the clock goes on", () => Date.now() > between.getTime() + 1);
      await publish(["search.user.made", "search.other"], 4);
      await app.stop();
      const found = async (filter: Parameters<typeof letters.search>[0]) => {
        const all: number[] = [];
        for await (const item of letters.search({ order: "oldest", ...filter })) all.push(numberOf(item));
        return all;
      };
      assert.deepEqual(await found({}), [0, 1, 2, 3, 4, 5]);
      assert.deepEqual(await found({ order: "newest" }), [5, 4, 3, 2, 1, 0]);
      assert.deepEqual(await found({ event: "search.user.*" }), [0, 2, 4]);
      assert.deepEqual(await found({ reason: "rejected" }), [1, 3]);
      assert.deepEqual(await found({ text: "econnrefused EVEN" }), [0, 2, 4]);
      assert.deepEqual(await found({ after: new Date(between.getTime() + 1) }), [4, 5]);
      assert.deepEqual(await found({ before: new Date(between.getTime() + 1), reason: "retries-exhausted" }), [0, 2]);
      assert.equal(await letters.purge({ where: { event: "search.user.*", text: "even" } }), 3);
      assert.deepEqual(await found({}), [1, 3, 5]);
    },
  ),

  rule("D6", "a pass goes once through all that are there, in order, while others add and purge", async (rig) => {
    await buryMany(rig, "passed", LETTERS);
    const connection = await rig.connect();
    const burier = new Burier(await rig.connect(), "passed");
    await burier.start();
    const writer = connection.deadLetters("passed");
    const reader = (await rig.connect()).deadLetters("passed");
    let added = LETTERS;
    for (const order of ["oldest", "newest"] as const) {
      const before = await allOf(writer, order);
      const purged = new Set<number>();
      const seen: number[] = [];
      const first = added;
      for await (const letter of reader.scan(order)) {
        seen.push(numberOf(letter.event));
        if (seen.length % 40 !== 1) continue;
        await burier.publish(added, ++added);
        // One that has been seen and one that has not been yet.
        const gone = [before[seen.length - 1], before[seen.length + 60]].filter((each) => each !== undefined);
        for (const { number } of gone) purged.add(number);
        await writer.purge(gone.map(({ id }) => id));
        // A transport that follows what is added would never end.
        assert(seen.length < LETTERS * 2, "it has seen twice as many as there were");
      }
      const expected = before.map(({ number }) => number);
      const kept = expected.filter((number) => !purged.has(number));
      assert.deepEqual(
        seen.filter((number) => !purged.has(number)),
        kept,
        "a letter was left out, seen twice or in another order",
      );
      assert.equal(new Set(seen).size, seen.length, "a letter was seen twice");
      assert(added > first + 5 && purged.size > 10);
      await rig.until(
        () => `the ${added - LETTERS} that were added are stored; ${burier.buried.length} are`,
        () => burier.buried.length === added - LETTERS,
      );
    }
    await burier.stop();
  }),

  rule("D6", "a pass ends when its reader goes away or its signal is aborted, and has changed nothing", async (rig) => {
    await buryMany(rig, "left", LETTERS);
    const connection = await rig.connect();
    const letters = connection.deadLetters("left");
    const before = await allOf(letters, "oldest");
    for await (const letter of letters.scan("oldest")) {
      assert.equal(letter.id, before[0]?.id);
      break;
    }
    const controller = new AbortController();
    let seen = 0;
    for await (const _ of letters.scan("newest", controller.signal)) {
      seen += 1;
      if (seen === 20) controller.abort();
    }
    assert(seen >= 20 && seen < LETTERS, `it went on to ${seen} of ${LETTERS}`);
    for await (const _ of letters.scan("oldest", controller.signal)) assert.fail("it was aborted before it began");
    await rig.until("all are counted", async () => (await letters.count()) === LETTERS);
    assert.deepEqual(await allOf(letters, "oldest"), before);
  }),

  rule("D6", "a page of large letters is shorter than was asked for, and the next one goes on", async (rig) => {
    const calls = new Calls(() => {
      throw new DeadLetter("large");
    });
    const app = rig.app({ concurrency: 4 }).onEvent("large", { useCase: "large" }, calls.handler);
    await app.start();
    for (const number of numbers(LARGE_LETTERS)) await app.newEvent("large", { number, text: "x".repeat(LARGE_BYTES) });
    const letters = (await rig.connect()).deadLetters("large");
    await rig.until("all are dead letters", async () => (await letters.count()) === LARGE_LETTERS);
    const page = await letters.list({ limit: 1_000, order: "oldest" });
    assert(page.items.length < LARGE_LETTERS, "a page held all of them");
    assert(page.next !== undefined, "the page says that it is the last");
    const all = await allOf(letters, "oldest");
    assert.deepEqual(
      all.map(({ number }) => number).sort((a, b) => a - b),
      numbers(LARGE_LETTERS),
    );
  }),
];

/** The letters' ids and numbers, by pages. */
export async function allOf(
  letters: DeadLetterStore,
  order: "oldest" | "newest",
): Promise<{ readonly id: string; readonly number: number }[]> {
  const all: { readonly id: string; readonly number: number }[] = [];
  let after: string | undefined;
  do {
    const page = await letters.list({ limit: 1_000, order, after });
    all.push(...page.items.map(({ id, event }) => ({ id, number: numberOf(event) })));
    after = page.next;
  } while (after !== undefined);
  return all;
}
