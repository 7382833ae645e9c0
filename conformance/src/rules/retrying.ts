import assert from "node:assert/strict";
import { DeadLetter, RetryAfter } from "@papa-events/core";
import { Calls, failing, Held } from "../rig/calls.ts";
import { type RuleTest, rule, ruleAlone } from "../rule.ts";
import { numbers, publishMany } from "./events.ts";

/** How late a retry may be, in milliseconds (T2). */
const LATE = 1_000;

/** A delay long enough for a test to see that the event waits, whatever a look at the broker takes. */
const WAIT = 2_000;

/** T1 to T6, but for crash loops. */
export const retrying: readonly RuleTest[] = [
  rule(
    "T1",
    "a handler that always fails is called retries + 1 times, then the event is a dead letter",
    async (rig) => {
      const none = failing();
      const three = failing();
      const app = rig.app({ retryDelay: 60 });
      app.onEvent("doomed", { useCase: "none", retries: 0 }, none.handler);
      app.onEvent("doomed", { useCase: "three", retries: 3 }, three.handler);
      await app.start();
      const { id } = await app.newEvent("doomed", {});
      for (const useCase of ["none", "three"])
        await rig.until(`${useCase} has given up`, async () => (await app.deadLetters(useCase).count()) === 1);
      await rig.untilEmpty(app);
      assert.deepEqual(none.attempts, [1]);
      assert.deepEqual(three.attempts, [1, 2, 3, 4]);
      assert(three.ids.every((each) => each === id));
      const [letter] = (await app.deadLetters("three").list()).items;
      assert.deepEqual([letter?.reason, letter?.attempts, letter?.eventId], ["retries-exhausted", 4, id]);
    },
  ),

  rule("T1", "a handler that fails at first is called until it succeeds, and no more", async (rig) => {
    const calls = new Calls(({ attempt }) => {
      if (attempt < 3) throw new Error("not yet");
    });
    const app = rig.app({ retries: 5, retryDelay: 50 }).onEvent("flaky", { useCase: "flaky" }, calls.handler);
    await app.start();
    const ids = await publishMany(app, "flaky", 20);
    await rig.until("all have succeeded", () => calls.list.filter(({ attempt }) => attempt === 3).length === 20);
    await rig.untilEmpty(app);
    assert.equal(calls.count, 60);
    for (const id of ids)
      assert.deepEqual(
        calls.list.filter((call) => call.id === id).map(({ attempt }) => attempt),
        [1, 2, 3],
      );
    assert.equal(await app.deadLetters("flaky").count(), 0);
  }),

  ruleAlone("T2", "a failed event is redelivered never before its delay and at most 1 s after it", async (rig) => {
    const delays = [100, 700, 1_500];
    const calls = new Calls(({ attempt }) => {
      if (attempt <= delays.length) throw new Error("again");
    });
    const app = rig.app({ retries: 3, retryDelay: (attempt) => delays[attempt - 1] ?? 0 });
    app.onEvent("timed", { useCase: "timed" }, calls.handler);
    await app.start();
    const ids = await publishMany(app, "timed", 10);
    await rig.until("all have come four times", () => calls.count === 40);
    for (const id of ids) {
      const times = calls.list.filter((call) => call.id === id).map(({ at }) => at);
      for (const [index, delay] of delays.entries()) {
        const waited = (times[index + 1] ?? 0) - (times[index] ?? 0);
        assert(waited >= delay, `after ${waited.toFixed(1)} ms, before its delay of ${delay}`);
        assert(waited <= delay + LATE, `after ${waited.toFixed(1)} ms, more than a second after its delay of ${delay}`);
      }
    }
  }),

  rule("T2", "a retry goes to that use case only, whatever patterns the others have", async (rig) => {
    const failed = new Calls(({ attempt }) => {
      if (attempt === 1) throw new Error("once");
    });
    const others = numbers(3).map(() => new Calls());
    const app = rig.app().onEvent("seen", { useCase: "failed" }, failed.handler);
    for (const [index, calls] of others.entries())
      app.onEvent(["seen", "#", "failed", "failed.*"], { useCase: `other_${index}` }, calls.handler);
    await app.start();
    await publishMany(app, "seen", 5);
    await rig.until("all have been retried", () => failed.count === 10);
    await rig.untilEmpty(app);
    for (const calls of others) {
      assert.equal(calls.count, 5);
      assert.deepEqual(new Set(calls.attempts), new Set([1]));
    }
  }),

  rule("T3", "waiting events block nothing: others of the use case go at full speed", async (rig) => {
    const calls = new Calls(({ name }) => {
      if (name === "bad") throw new Error("bad");
    });
    const app = rig
      .app({ retries: 1, retryDelay: 60_000, concurrency: 5 })
      .onEvent(["bad", "good"], { useCase: "mixed" }, calls.handler);
    await app.start();
    const publisher = await rig.publisher();
    await publishMany(publisher, "bad", 100);
    await rig.until("all bad ones wait", async () => (await app.stats()).mixed?.waiting === 100);
    await publishMany(publisher, "good", 100);
    await rig.until("all good ones are handled", () => calls.names.filter((name) => name === "good").length === 100);
    assert.equal((await app.stats()).mixed?.waiting, 100);
  }),

  rule("T3", "delays of different lengths do not wait for one another", async (rig) => {
    const order: number[] = [];
    const calls = new Calls(({ payload, attempt }) => {
      const { delay } = payload as { delay: number };
      if (attempt === 1) throw new RetryAfter(delay);
      order.push(delay);
    });
    const app = rig.app({ concurrency: 10 }).onEvent("delayed", { useCase: "delays" }, calls.handler);
    await app.start();
    // Far enough apart that a busy machine does not change their order.
    const delays = [60_000, 6_000, 2_500, 100];
    for (const delay of delays) await app.newEvent("delayed", { delay });
    await rig.until("the short ones are back", () => order.length === 3);
    assert.deepEqual(order, [100, 2_500, 6_000]);
  }),

  rule("T4", "the attempt number survives the app's end, a crash and a lost connection", async (rig) => {
    const attempts: number[] = [];
    const start = async () => {
      const calls = new Calls(({ attempt }) => {
        attempts.push(attempt);
        throw new Error("always");
      });
      const app = rig.app({ retries: 3, retryDelay: WAIT }).onEvent("counted", { useCase: "counted" }, calls.handler);
      await app.start();
      return app;
    };
    const stopped = await start();
    await stopped.newEvent("counted", {});
    await rig.until("it waits", async () => (await stopped.stats()).counted?.waiting === 1);
    await stopped.stop();
    const second = await start();
    await rig.until(
      "the second attempt has come and waits again",
      async () => attempts.length === 2 && (await second.stats()).counted?.waiting === 1,
    );
    await rig.faults.crash();
    const third = await start();
    await rig.until(
      "the third attempt has come and waits again",
      async () => attempts.includes(3) && ((await third.stats()).counted?.waiting ?? 0) > 0,
    );
    await rig.faults.cut();
    await rig.until("it is given up", async () => (await rig.letters("counted").count()) > 0);
    // A crash may repeat the attempt that was settled last (H1), with the number that it had.
    const [first, ...later] = attempts;
    assert.equal(first, 1);
    assert.deepEqual([...new Set(later)], [2, 3, 4]);
  }),

  rule(
    "T5",
    "DeadLetter skips the remaining retries, RetryAfter sets this retry's delay and counts as one",
    async (rig) => {
      const rejected = new Calls(() => {
        throw new DeadLetter("never again");
      });
      const later = new Calls(() => {
        throw new RetryAfter(400);
      });
      const app = rig.app({ retries: 1, retryDelay: 30_000 });
      app
        .onEvent("asked", { useCase: "rejected" }, rejected.handler)
        .onEvent("asked", { useCase: "later" }, later.handler);
      await app.start();
      await app.newEvent("asked", {});
      for (const useCase of ["rejected", "later"])
        await rig.until(`${useCase} has given up`, async () => (await app.deadLetters(useCase).count()) === 1);
      assert.equal(rejected.count, 1);
      assert.deepEqual(later.attempts, [1, 2]);
      assert((later.list[1]?.at ?? 0) - (later.list[0]?.at ?? 0) >= 400);
      const [letter] = (await app.deadLetters("rejected").list()).items;
      assert.deepEqual([letter?.reason, letter?.error.message], ["rejected", "never again"]);
      assert.equal((await app.deadLetters("later").list()).items[0]?.reason, "retries-exhausted");
    },
  ),

  rule("T6", "a redelivery after a lost connection or a crash is not counted as a retry", async (rig) => {
    const held = new Held();
    const app = rig.app().onEvent("interrupted", { useCase: "interrupted" }, held.handler);
    await app.start();
    await publishMany(app, "interrupted", 3);
    await rig.until("all are being handled", () => held.count === 3);
    await rig.faults.cut();
    const { capabilities } = await rig.connect();
    if (capabilities.exclusive === "while-connected") {
      await rig.until("all are handed out again", () => held.count === 6);
    } else {
      await publishMany(app, "interrupted", 1);
      await rig.until("another is handed out", () => held.count >= 4);
      assert.equal(held.distinct, held.count, "an event was handed out again while it was handled");
      rig.weaker.push("a lost connection takes nothing away, only a crash does");
    }
    const interrupted = held.distinct;
    await rig.faults.crash();
    const calls = new Calls();
    const next = rig.app().onEvent("interrupted", { useCase: "interrupted" }, calls.handler);
    await next.start();
    await rig.until("all are handled", () => calls.distinct === interrupted);
    held.letGo();
    assert.deepEqual(new Set([...held.attempts, ...calls.attempts]), new Set([1]));
  }),
];
