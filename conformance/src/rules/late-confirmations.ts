import assert from "node:assert/strict";
import { Calls } from "../rig/calls.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, rule } from "../rule.ts";
import { publishMany, sorted } from "./events.ts";
import { code } from "./publishing.ts";

/** Shorter than any heartbeat, so that the connection stands. */
const SILENCE_MS = 1_500;

/** P6: what happens to publishes whose confirmation is late or never comes. */
export const lateConfirmations: readonly RuleTest[] = [
  rule("P6", "a confirmation that is late is waited for, and nothing is stored twice", async (rig) => {
    const calls = new Calls();
    const app = rig.app().onEvent("late", { useCase: "patient" }, calls.handler);
    await app.start();
    const publisher = await rig.publisher();
    const ids = await publishMany(publisher, "late", 5);
    const flow = await rig.stall();
    const publishing = publishMany(publisher, "late", 20);
    await pause(SILENCE_MS);
    await flow();
    ids.push(...(await publishing));
    await rig.until("all are handled", () => calls.distinct === ids.length);
    await rig.untilEmpty(app);
    const published = sorted(calls.ids);
    assert.deepEqual(published, sorted(ids), "something was stored twice");
  }),

  rule("P6", "a confirmation that never comes rejects at publishTimeout and multiplies nothing", async (rig) => {
    const calls = new Calls();
    const app = rig.app().onEvent("never", { useCase: "once" }, calls.handler);
    await app.start();
    const publisher = await rig.publisher({ publishTimeout: 500 });
    // A busy machine may take longer than that for the first, which opens what publishing needs.
    let tries = 0;
    await rig.until("it publishes in time", () => {
      tries += 1;
      return publisher.newEvent("never", { tries }).then(
        () => true,
        () => false,
      );
    });
    const flow = await rig.stall();
    const started = performance.now();
    await assert.rejects(publisher.newEvent("never", {}), code("publish-timeout"));
    const took = performance.now() - started;
    assert(took >= 495 && took < 3_000, `it took ${Math.round(took)} ms`);
    await pause(SILENCE_MS - 500);
    await flow();
    const { id } = await app.newEvent("never", { last: true });
    await rig.until("the last is handled", () => calls.ids.includes(id));
    await rig.untilEmpty(app);
    assert.equal(calls.distinct, calls.count, "an event was stored more than once");
    assert(calls.count <= tries + 2);
  }),
];
