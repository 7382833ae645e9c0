import assert from "node:assert/strict";
import type { PapaApp } from "@papa-events/core";
import { Calls, Held } from "../rig/calls.ts";
import type { Rig } from "../rig/rig.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, rule } from "../rule.ts";
import { sorted } from "./events.ts";

const DRAIN_MS = 300;
/** How long after the drain timeout stop() may go on. */
const CLOSING_MS = 2_000;
/** What a busy machine adds to that. */
const LEEWAY_MS = 1_000;

/** What a handler may do when its time is up. */
const TOO_LATE = ["returns when aborted", "throws when aborted", "returns later", "throws later", "never ends"];

/** L2: when stop() waits no longer. */
export const deadlines: readonly RuleTest[] = [
  rule("L2", "from the drain timeout on nothing counts that a handler still does", async (rig) => {
    const later = Promise.withResolvers<void>();
    const outputs = new Calls();
    const calls = new Calls(async ({ payload }, { signal }) => {
      const how = String(payload);
      if (how.endsWith("aborted")) await new Promise((resolve) => signal.addEventListener("abort", resolve));
      else if (how.endsWith("later")) await later.promise;
      else await new Promise(() => {});
      if (how.startsWith("throws")) throw signal.reason;
      return { name: "too.late", payload: how };
    });
    const sink = rig.app().onEvent("too.late", { useCase: "sink" }, outputs.handler);
    await sink.start();
    // No retries: a throw that counted would make a dead letter.
    const app = rig.app({ drainTimeout: DRAIN_MS, retries: 0 });
    app.onEvent("slow", { useCase: "stopped" }, calls.handler);
    await app.start();
    for (const how of TOO_LATE) await app.newEvent("slow", how);
    await rig.until("all are being handled", () => calls.running === TOO_LATE.length);
    await app.stop();
    later.resolve();
    await pause(100);
    const again = new Calls();
    const next = rig.app().onEvent("slow", { useCase: "stopped" }, again.handler);
    await next.start();
    await rig.until(
      () => `all come back; there are ${again.list.map(({ payload }) => payload)}`,
      () => again.distinct >= TOO_LATE.length,
    );
    await rig.untilEmpty(next);
    assert.deepEqual(sorted(again.list.map(({ payload }) => String(payload))), sorted(TOO_LATE));
    assert.deepEqual(new Set(again.attempts), new Set([1]));
    assert.equal(await next.deadLetters("stopped").count(), 0);
    await rig.untilEmpty(sink);
    assert.equal(outputs.count, 0, "outputs of a handler that was too late were published");
  }),

  rule("L2", "stop() ends within 2 s of the drain timeout, although a handler never ends", async (rig) => {
    const app = await handlingForEver(rig);
    await endsInTime(app);
  }),

  rule("L2", "stop() ends within 2 s of the drain timeout, although the broker is away", async (rig) => {
    const app = await handlingForEver(rig);
    await rig.faults.disconnect();
    await endsInTime(app);
    await rig.faults.reconnect();
    await comesBack(rig);
  }),

  rule("L2", "stop() ends within 2 s of the drain timeout, although the broker is silent", async (rig) => {
    const app = await handlingForEver(rig);
    const flow = await rig.stall();
    await endsInTime(app);
    await flow();
    await comesBack(rig);
  }),

  rule("L2", "stop() called by a handler does not wait for that handler", async (rig) => {
    let took = Number.POSITIVE_INFINITY;
    const app = rig.app({ drainTimeout: 10_000 });
    const calls = new Calls(async () => {
      const started = performance.now();
      await app.stop();
      took = performance.now() - started;
    });
    app.onEvent("last", { useCase: "leaving" }, calls.handler);
    await app.start();
    await app.newEvent("last", {});
    await rig.until("it has stopped", () => app.health().state === "stopped");
    assert(took < 5_000, `it took ${Math.round(took)} ms`);
  }),
];

/** An app with a handler that never ends. */
async function handlingForEver(rig: Rig): Promise<PapaApp> {
  const held = new Held();
  const app = rig.app({ drainTimeout: DRAIN_MS }).onEvent("endless", { useCase: "endless" }, held.handler);
  await app.start();
  await app.newEvent("endless", {});
  await rig.until("it is being handled", () => held.count === 1);
  return app;
}

async function endsInTime(app: PapaApp): Promise<void> {
  const started = performance.now();
  await app.stop();
  const took = performance.now() - started;
  assert(took <= DRAIN_MS + CLOSING_MS + LEEWAY_MS, `it took ${Math.round(took)} ms`);
}

/** The event of {@link handlingForEver} is handled by the next app, at the same attempt. */
async function comesBack(rig: Rig): Promise<void> {
  const calls = new Calls();
  const app = rig.app().onEvent("endless", { useCase: "endless" }, calls.handler);
  await app.start();
  await rig.until("it comes back", () => calls.count > 0);
  await rig.untilEmpty(app);
  assert.deepEqual(calls.attempts, [1]);
}
