import assert from "node:assert/strict";
import { RetryAfter } from "@papa-events/core";
import { Calls } from "../rig/calls.ts";
import { holding } from "../rig/holding.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, rule } from "../rule.ts";
import { numbers, publishMany } from "./events.ts";

const LARGE_BYTES = 256 * 1_024;
const MAX_HELD_BYTES = 8 * LARGE_BYTES;

/** H9: what an instance holds that is not stored yet. */
export const held: readonly RuleTest[] = [
  rule(
    "H9",
    "at most readAhead deliveries are held, and a place is free only when the outcome is stored",
    async (rig) => {
      const calls = new Calls(async ({ payload, attempt }) => {
        // Long enough for the core to leave its readAhead where it begins.
        await pause(10);
        const { number } = payload as { number: number };
        if (number % 5 === 0 && attempt === 1) throw new RetryAfter(100);
        return { name: "out", payload: { number } };
      });
      const outputs = new Calls();
      const spy = holding(rig.transport());
      const app = rig.app({ transport: spy.transport, concurrency: 5 });
      app.onEvent("in", { useCase: "bounded" }, calls.handler);
      const sink = rig.app().onEvent("out", { useCase: "sink" }, outputs.handler);
      await Promise.all([app.start(), sink.start()]);
      await publishMany(await rig.publisher(), "in", 200);
      await rig.until("all outputs are handled", () => outputs.distinct === 200);
      await rig.untilEmpty(app);
      assert(spy.mostOver <= 0, `${spy.mostOver} deliveries more than readAhead were held`);
      assert(spy.mostDeliveries >= 5, "the concurrency is not used");
    },
  ),

  rule("H9", "at most maxHeldBytes are handed out", async (rig) => {
    const spy = holding(rig.transport());
    const calls = new Calls(() => pause(50));
    const app = rig.app({ transport: spy.transport, concurrency: 20, maxHeldBytes: MAX_HELD_BYTES });
    const declaring = rig.app().onEvent("large", { useCase: "bytes" }, calls.handler);
    await declaring.start();
    await declaring.stop();
    const publisher = await rig.publisher();
    const payload = "x".repeat(LARGE_BYTES - 2);
    // More than an app reads ahead at first, so that only the bytes can bound it.
    for (const _ of numbers(40)) await publisher.newEvent("large", payload);
    app.onEvent("large", { useCase: "bytes" }, calls.handler);
    await app.start();
    await rig.until("all are handled", () => calls.distinct === 40);
    await rig.untilEmpty(app);
    assert(spy.mostBytes <= MAX_HELD_BYTES, `${spy.mostBytes} bytes were held, and not ${MAX_HELD_BYTES} at most`);
  }),

  rule("H9", "outputs count while they are not stored", async (rig) => {
    const concurrency = 4;
    const spy = holding(rig.transport(), { slower: 100 });
    const payload = "x".repeat(LARGE_BYTES - 2);
    const calls = new Calls(() => ({ name: "unread", payload }));
    const app = rig.app({ transport: spy.transport, concurrency, maxHeldBytes: MAX_HELD_BYTES, unwanted: "accept" });
    app.onEvent("small", { useCase: "outputs" }, calls.handler);
    await app.start();
    await publishMany(await rig.publisher(), "small", 60);
    await rig.until("all are handled", () => calls.distinct === 60);
    await rig.untilEmpty(app);
    // What handlers return is not known before they do: each that runs may return one more.
    const bound = MAX_HELD_BYTES + concurrency * LARGE_BYTES;
    assert(spy.mostBytes <= bound, `${spy.mostBytes} bytes were held, and not ${bound} at most`);
    assert(spy.mostBytes >= LARGE_BYTES, "no output was ever held");
  }),
];
