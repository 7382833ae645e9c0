import assert from "node:assert/strict";
import type { EventContext } from "@papa-events/core";
import { Calls } from "../rig/calls.ts";
import { type RuleTest, rule } from "../rule.ts";
import { encoded, numbers, sorted } from "./events.ts";

/** H5 to H7: what a handler is called with, and when it has failed. */
export const handlers: readonly RuleTest[] = [
  rule("H5", "a payload that is not JSON becomes a dead letter at once, and harms no neighbour", async (rig) => {
    const calls = new Calls();
    const app = rig.app().onEvent("mixed", { useCase: "poisoned" }, calls.handler);
    await app.start();
    const connection = await rig.connect();
    const poison = [Buffer.from("{ no json"), Buffer.from([0xff, 0xfe, 0x00]), Buffer.alloc(0)];
    const good = numbers(20).map((number) => encoded("mixed", { number }));
    const batch = [...good.slice(0, 7), ...poison.map((body) => encoded("mixed", body)), ...good.slice(7)];
    const size = connection.capabilities.publishing.eventsPerCall;
    for (let from = 0; from < batch.length; from += size)
      assert.deepEqual(await connection.publish(batch.slice(from, from + size)), []);
    const letters = app.deadLetters("poisoned");
    await rig.until(
      "the good are handled, the others dead",
      async () => calls.count >= 20 && (await letters.count()) >= 3,
    );
    await rig.untilEmpty(app);
    assert.deepEqual(sorted(calls.ids), sorted(good.map(({ id }) => id)));
    assert(calls.attempts.every((attempt) => attempt === 1));
    const { items } = await letters.list();
    assert.equal(items.length, 3);
    for (const { reason, attempts, payload } of items) {
      assert.deepEqual({ reason, attempts, payload }, { reason: "invalid-payload", attempts: 1, payload: undefined });
    }
    const bodies = items.map(({ body }) => Buffer.from(body).toString("hex"));
    assert.deepEqual(sorted(bodies), sorted(poison.map((body) => body.toString("hex"))));
  }),

  rule("H5", "a payload that the schema refuses becomes a dead letter at once", async (rig) => {
    const calls = new Calls();
    const app = rig.app().onEvent("typed", { useCase: "typed", schema: numberSchema }, calls.handler);
    await app.start();
    await app.newEvents([
      { name: "typed", payload: 1 },
      { name: "typed", payload: "one" },
      { name: "typed", payload: 2 },
    ]);
    const letters = app.deadLetters("typed");
    await rig.until("two are handled, one is dead", async () => calls.count === 2 && (await letters.count()) === 1);
    const [letter] = (await letters.list()).items;
    assert.equal(letter?.reason, "invalid-payload");
    assert.equal(letter?.payload, "one");
    assert.match(letter?.error.message ?? "", /a number is needed/);
    assert.deepEqual(sorted(calls.list.map(({ payload }) => String(payload))), ["2", "4"]);
  }),

  rule("H6", "a handler gets the parsed payload and the whole context, the same on every attempt", async (rig) => {
    const contexts: EventContext[] = [];
    const app = rig
      .app({ retries: 2, retryDelay: 50 })
      .onEvent("#.read", { useCase: "reading" }, async (_, context) => {
        contexts.push(context);
        if (context.attempt < 3) throw new Error("again");
      });
    await app.start();
    const before = Date.now();
    const { id } = await app.newEvent("a.story.read", { of: ["x"] }, { headers: { tenant: "t-1" } });
    await rig.until("the third attempt has come", () => contexts.length === 3);
    for (const [index, context] of contexts.entries()) {
      const { eventName, attempt, useCase, headers, payload, signal, logger, time } = context;
      assert.deepEqual(
        { eventName, attempt, useCase, id: context.id },
        { eventName: "a.story.read", attempt: index + 1, useCase: "reading", id },
      );
      assert.deepEqual({ ...headers }, { tenant: "t-1" });
      assert.deepEqual(payload, { of: ["x"] });
      assert(signal instanceof AbortSignal && !signal.aborted);
      assert.equal(typeof logger.info, "function");
      assert(Math.abs(time.getTime() - before) < 10_000, time.toISOString());
      assert.equal(time.getTime(), contexts[0]?.time.getTime());
    }
  }),

  rule(
    "H7",
    "a handler that exceeds its timeout has failed, its signal aborts, its outputs are not published",
    async (rig) => {
      const aborted: boolean[] = [];
      const outputs = new Calls();
      const calls = new Calls(async (_, { signal }) => {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        aborted.push(signal.aborted);
        return { name: "too-late", payload: {} };
      });
      const app = rig
        .app()
        .onEvent("slow", { useCase: "timed", timeout: 100, retries: 1, retryDelay: 50 }, calls.handler);
      app.onEvent("too-late", { useCase: "outputs" }, outputs.handler);
      await app.start();
      await app.newEvent("slow", {});
      const letters = app.deadLetters("timed");
      await rig.until("it is a dead letter", async () => (await letters.count()) === 1);
      assert.deepEqual(calls.attempts, [1, 2]);
      assert.deepEqual(aborted, [true, true]);
      assert.equal((await letters.list()).items[0]?.reason, "retries-exhausted");
      await rig.untilEmpty(app);
      assert.equal(outputs.count, 0);
    },
  ),
];

/** Accepts numbers and doubles them. */
const numberSchema = {
  "~standard": {
    version: 1,
    vendor: "conformance",
    validate: (value: unknown) =>
      typeof value === "number" ? { value: value * 2 } : { issues: [{ message: "a number is needed" }] },
  },
} as const;
