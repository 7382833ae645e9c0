import assert from "node:assert/strict";
import type { Progress } from "@papa-events/core/transport";
import { Calls } from "../rig/calls.ts";
import { type RuleTest, rule } from "../rule.ts";
import { Burier, buryMany, numberOf, revived } from "./burying.ts";
import { numbers, sorted } from "./events.ts";
import { allOf } from "./searching.ts";

const LETTERS = 300;
const MANY_LETTERS = 2_000;

/** D4 and D6: acting on many dead letters at once. */
export const selections: readonly RuleTest[] = [
  rule(
    "D4",
    "a mended payload goes back as it was given, same id, attempt 1, to the failing use case only",
    async (rig) => {
      let healed = false;
      const failing = new Calls(() => {
        if (!healed) throw new Error("ill");
      });
      const other = new Calls();
      const app = rig.app({ retries: 0 });
      app.onEvent("seen", { useCase: "ill" }, failing.handler).onEvent("#", { useCase: "well" }, other.handler);
      await app.start();
      const { id } = await app.newEvent("seen", { text: "wrong" }, { headers: { tenant: "t-1" } });
      const letters = rig.letters("ill");
      const letter = async (failures: number) => {
        await rig.until("it is a dead letter", async () => failing.count === failures && (await letters.count()) === 1);
        const [found] = (await letters.list()).items;
        assert(found !== undefined);
        return found;
      };
      const payload = { text: 'right "\u2603" \\ \u0000', list: [1.5, null, []] };
      const first = await letter(1);
      assert.equal(first.headers.papa_mended, undefined);
      assert.equal(await letters.redrive([first.id], { payload }), 1);
      // It says so as long as it lives, and what is redriven as it is then is the mended one.
      const second = await letter(2);
      assert.deepEqual([second.eventId, second.payload, second.attempts], [id, payload, 1]);
      assert(
        Math.abs(Date.parse(second.headers.papa_mended ?? "") - Date.now()) < 60_000,
        "it does not say that it was mended",
      );
      healed = true;
      assert.equal(await letters.redrive([second.id]), 1);
      await rig.until("it is handled", () => failing.count === 3);
      await rig.untilEmpty(app);
      for (const call of failing.list.slice(1)) {
        assert.deepEqual([call.id, call.attempt, call.name, call.payload], [id, 1, "seen", payload]);
        assert.deepEqual({ ...call.headers }, { tenant: "t-1" });
      }
      assert.deepEqual(other.ids, [id]);
      assert.equal(await letters.count(), 0);
    },
  ),

  rule("D4", "redriving all that is killed midway, and repeated, loses nothing", async (rig) => {
    await buryMany(rig, "many", MANY_LETTERS);
    const dying = (await rig.connect()).deadLetters("many");
    let looked = 0;
    let dead: Promise<void> | undefined;
    const which = () => {
      looked += 1;
      if (looked !== 300) return true;
      dead = rig.faults.crash();
      // Waited for below.
      dead.catch(() => {});
      return true;
    };
    // Neither a result nor an error tells anybody anything any more.
    const killed = dying.redrive(which, revived).catch(() => {});
    await rig.until("it is killed", () => dead !== undefined);
    await dead;
    const letters = (await rig.connect()).deadLetters("many");
    const calls = new Calls();
    const app = rig.app({ concurrency: 100 }).onEvent("buried", { useCase: "many" }, calls.handler);
    await app.start();
    let left = 0;
    await rig.until(
      () => `all are handled; ${calls.distinct} of ${MANY_LETTERS} are`,
      async () => {
        // What the dead one had taken in may come back a moment later, also what it had redriven already.
        left += await letters.redrive("all", revived);
        return calls.distinct === MANY_LETTERS && (await letters.count()) === 0;
      },
    );
    assert(left > 0, "it was not killed midway");
    await rig.untilEmpty(app);
    assert.deepEqual(new Set(calls.attempts), new Set([1]));
    await Promise.race([killed, app.stop()]);
  }),

  rule(
    "D6",
    "what a filter picks is redriven, once though it fails again; the rest stays in its order",
    async (rig) => {
      await buryMany(rig, "picked", LETTERS);
      const connection = await rig.connect();
      const burier = new Burier(await rig.connect(), "picked");
      await burier.start();
      const letters = connection.deadLetters("picked");
      const before = await allOf(letters, "oldest");
      const isEven = (number: number) => number % 2 === 0;
      assert.equal(await letters.redrive(({ event }) => isEven(numberOf(event)), revived), LETTERS / 2);
      let found = 0;
      const failedAgain = (count: number) =>
        rig.until(
          () => `${count} have failed again in all and are among ${LETTERS}; ${burier.buried.length} have, of ${found}`,
          async () => burier.buried.length === count && (found = await letters.count()) === LETTERS,
        );
      await failedAgain(LETTERS / 2);
      assert.deepEqual(
        [...burier.buried].sort((a, b) => a - b),
        numbers(LETTERS).filter(isEven),
      );
      assert.deepEqual(burier.attempts, new Set([1]));
      const after = await allOf(letters, "oldest");
      assert.deepEqual(
        after.filter(({ number }) => !isEven(number)),
        before.filter(({ number }) => !isEven(number)),
        "those that were not picked have changed their order or their ids",
      );
      // Each of them fails again at once: a call that went on to those would not end.
      assert.equal(await letters.redrive("all", revived), LETTERS);
      await failedAgain(LETTERS + LETTERS / 2);
      assert.equal(await letters.redrive(() => true, revived), LETTERS);
      await failedAgain(2 * LETTERS + LETTERS / 2);
      await burier.stop();
      assert.equal(await letters.purge(({ event }) => !isEven(numberOf(event))), LETTERS / 2);
      const left = await allOf(letters, "newest");
      assert.deepEqual(
        sorted(left.map(({ number }) => `${number}`)),
        sorted(numbers(LETTERS).filter(isEven).map(String)),
      );
    },
  ),

  rule(
    "D6",
    "2,000 letters: a call tells how far it is, and ends when it is aborted with how many it did",
    async (rig) => {
      await buryMany(rig, "lengthy", MANY_LETTERS);
      const connection = await rig.connect();
      const letters = connection.deadLetters("lengthy");
      for (const act of ["redrive", "purge"] as const) {
        const call = (which: () => boolean, progress: Progress) =>
          act === "purge" ? letters.purge(which, progress) : letters.redrive(which, revived, progress);
        const before = await letters.count();
        const controller = new AbortController();
        const told: { readonly seen: number; readonly done: number }[] = [];
        let looked = 0;
        const done = await call(
          () => {
            looked += 1;
            if (looked === 50) controller.abort();
            return looked % 2 === 0;
          },
          { signal: controller.signal, onProgress: (progress) => told.push({ ...progress }) },
        );
        assert(done > 0 && looked < before, `${act}: it went on to ${looked} of ${before} when it was aborted`);
        assert.equal(await letters.count(), before - done);
        assert.equal(told.at(-1)?.done, done, "its last word is not what it did");
        for (const [index, { seen, done: sofar }] of told.entries())
          assert(sofar <= seen && seen >= (told[index - 1]?.seen ?? 0) && sofar >= (told[index - 1]?.done ?? 0));
        const gone = new AbortController();
        gone.abort();
        assert.equal(await call(() => true, { signal: gone.signal }), 0, `${act}: it was aborted before it began`);
      }
      const left = await letters.count();
      const last: { seen: number; done: number }[] = [];
      assert.equal(await letters.purge("all", { onProgress: (progress) => last.push({ ...progress }) }), left);
      assert.deepEqual(last.at(-1), { seen: left, done: left });
      assert.equal(await letters.count(), 0);
    },
  ),
];
