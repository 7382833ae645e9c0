import assert from "node:assert/strict";
import { Calls, Held, taking } from "../rig/calls.ts";
import { type RuleTest, rule } from "../rule.ts";
import { numbers, publishMany, sorted } from "./events.ts";

/** L2: how an app stops. */
export const stopping: readonly RuleTest[] = [
  rule(
    "L2",
    "stop() lets running handlers finish, stores what became of their events, starts no other",
    async (rig) => {
      const calls = taking(300);
      const app = rig.app({ concurrency: 5 }).onEvent("drained", { useCase: "drained" }, calls.handler);
      await app.start();
      const ids = await publishMany(app, "drained", 30);
      await rig.until("five are being handled", () => calls.running === 5);
      const stopping = app.stop();
      const begun = calls.count;
      await stopping;
      assert.equal(calls.running, 0);
      assert.equal(calls.count, begun, "a handler was called after stop()");
      const rest = new Calls();
      const next = rig.app().onEvent("drained", { useCase: "drained" }, rest.handler);
      await next.start();
      await rig.until("the rest is handled", () => rest.count >= 30 - begun);
      await rig.untilEmpty(next);
      assert.deepEqual(sorted([...calls.ids, ...rest.ids]), sorted(ids));
      assert.deepEqual(new Set(rest.attempts), new Set([1]));
    },
  ),

  rule("L2", "after clean stops in the middle of the flow nothing is handled twice, nothing is lost", async (rig) => {
    const all: Calls[] = [];
    const start = async () => {
      const calls = new Calls();
      all.push(calls);
      const app = rig.app({ concurrency: 10 }).onEvent("flow", { useCase: "flow" }, calls.handler);
      await app.start();
      return app;
    };
    const publisher = await rig.publisher();
    let app = await start();
    const handled = () => all.flatMap(({ ids }) => ids);
    const ids: string[] = [];
    for (const round of numbers(4)) {
      const publishing = publishMany(publisher, "flow", 200);
      await rig.until(`some of round ${round} are handled`, () => handled().length > round * 200 + 20);
      const [, next] = await Promise.all([app.stop(), start()]);
      app = next;
      ids.push(...(await publishing));
    }
    await rig.until("all are handled", () => handled().length >= ids.length);
    await rig.untilEmpty(app);
    assert.deepEqual(sorted(handled()), sorted(ids));
  }),

  rule("L2", "what still runs at the drain timeout comes back with the same attempt number", async (rig) => {
    const held = new Held();
    const signals: AbortSignal[] = [];
    const calls = new Calls((call, { signal }) => {
      signals.push(signal);
      return held.handler(undefined, { ...call, eventName: call.name } as never);
    });
    const app = rig.app({ drainTimeout: 200 }).onEvent("endless", { useCase: "endless" }, calls.handler);
    await app.start();
    const { id } = await app.newEvent("endless", {});
    await rig.until("it is being handled", () => calls.count === 1);
    await app.stop();
    assert(
      signals.every(({ aborted }) => aborted),
      "its signal has not aborted",
    );
    const again = new Calls();
    const next = rig.app().onEvent("endless", { useCase: "endless" }, again.handler);
    await next.start();
    await rig.until("it is handled by the next app", () => again.count >= 1);
    held.letGo();
    await rig.untilEmpty(next);
    assert.deepEqual([again.ids, again.attempts], [[id], [1]]);
  }),

  rule("L2", "stop() waits for publishes under way: each is stored or rejected", async (rig) => {
    const calls = new Calls();
    const app = rig.app().onEvent("last.words", { useCase: "listener" }, calls.handler);
    await app.start();
    // A busy broker may take longer for them than apps wait here otherwise.
    const publisher = await rig.publisher({ drainTimeout: 20_000 });
    const publishing = Promise.allSettled(numbers(100).map(() => publisher.newEvent("last.words", {})));
    await publisher.stop();
    const ids = (await publishing).flatMap((result) => (result.status === "fulfilled" ? [result.value.id] : []));
    assert.equal(ids.length, 100, "a publish was rejected although the broker was there");
    await rig.until("all that resolved are handled", () => ids.every((id) => calls.ids.includes(id)));
  }),
];
