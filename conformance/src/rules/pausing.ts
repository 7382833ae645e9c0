import assert from "node:assert/strict";
import type { Administration } from "@papa-events/core/transport";
import { Calls, Held } from "../rig/calls.ts";
import { declaration } from "../rig/declaring.ts";
import { Fleet } from "../rig/fleet.ts";
import { Load } from "../rig/load.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, rule, ruleAlone } from "../rule.ts";
import { encoded, numbers, publishMany, sorted } from "./events.ts";

const INSTANCES = 3;
/** By when a pause has reached every instance. */
const REACHED_MS = 5_000;
/** Retries fall due when the pause has reached all. */
const RETRY_DELAY_MS = REACHED_MS + 1_000;
/** How long it is watched that nothing is handled. */
const WATCHED_MS = 1_500;

/** L6: use cases that operators pause. */
export const pausing: readonly RuleTest[] = [
  rule(
    "L6",
    "a paused use case is so for all until it is resumed, whatever is declared, withdrawn or lost",
    async (rig) => {
      const { administration } = await rig.operate();
      const connection = await rig.connect();
      await connection.declarations.declare([declaration("paused", "a", "b"), declaration("other", "a")]);
      await administration.pause("paused");
      await administration.pause("paused");
      const others = (await rig.connect()).administration;
      assert(others !== undefined);
      assert.deepEqual(await others.paused(), ["paused"]);
      await connection.declarations.declare([declaration("paused", "a"), declaration("other", "a")]);
      await connection.declarations.withdraw("paused", ["b"], 0);
      assert.deepEqual(await connection.publish(numbers(3).map((number) => encoded("a", { number }))), []);
      await rig.faults.cut();
      await rig.until("it is paused as before", async () => (await pausedAccordingTo(others)) === "paused");
      await rig.until("its events are kept", async () => {
        try {
          const [one, other] = [await connection.inspect("paused"), await connection.inspect("other")];
          return one.ready === 3 && other.ready === 3;
        } catch {
          // The connection may not be back yet.
          return false;
        }
      });
      await rig.until("it can be resumed", async () => {
        try {
          await administration.resume("paused");
          return true;
        } catch {
          return false;
        }
      });
      await administration.resume("paused");
      await administration.resume("other");
      assert.deepEqual(await others.paused(), []);
    },
  ),

  ruleAlone("L6", "a paused use case is so after the broker was killed and started again", async (rig) => {
    const restart = rig.offered(rig.description.faults.restart);
    const { administration } = await rig.operate();
    await (await rig.connect()).declarations.declare([declaration("paused", "a")]);
    await administration.pause("paused");
    await restart();
    await rig.until("it is paused as before", async () => (await pausedAccordingTo(administration)) === "paused");
  }),

  rule(
    "L6",
    "a paused use case is handled by none of three instances from 5 s on; nothing is lost or handled twice",
    async (rig) => {
      const { administration } = await rig.operate();
      const act = () => pause(20);
      const fleet = new Fleet(rig, { useCase: "loaded", patterns: ["load"], concurrency: 3, act });
      for (const _ of numbers(INSTANCES)) await fleet.join();
      const other = new Calls();
      const neighbour = rig.app().onEvent("load", { useCase: "neighbour" }, other.handler);
      await neighbour.start();
      const load = new Load(rig, await rig.publisher());
      const working = Math.min(INSTANCES, rig.description.mostInstances ?? INSTANCES);
      await rig.until("they handle", () => fleet.shares().filter((share) => share > 0).length >= working);
      const asked = performance.now();
      await administration.pause("loaded");
      await rig.until("all know", () => fleet.instances.every(({ app }) => app.health().paused.join() === "loaded"));
      await rig.until("none handles any more", () => fleet.instances.every(({ calls }) => calls.running === 0));
      const handled = fleet.shares();
      const neighbours = other.count;
      await pause(WATCHED_MS);
      assert.deepEqual(fleet.shares(), handled, "a paused use case was handled");
      assert(other.count > neighbours, "another use case stands still");
      const last = Math.max(...fleet.instances.flatMap(({ calls }) => calls.list.map(({ at }) => at)));
      assert(last - asked <= REACHED_MS, `something was handled ${Math.round(last - asked)} ms after the pause`);
      for (const { app } of fleet.instances) {
        assert.equal(app.health().healthy, true, JSON.stringify(app.health().reasons));
        assert.equal((await app.stats()).loaded?.paused, true);
      }
      const ids = await load.stop();
      await administration.resume("loaded");
      const calls = () => fleet.instances.flatMap((instance) => instance.calls.list);
      await rig.until(
        () => `all are handled; ${calls().length} of ${ids.length} are`,
        () => calls().length >= ids.length,
      );
      for (const { app } of fleet.instances) await rig.untilEmpty(app);
      assert.deepEqual(sorted(calls().map(({ id }) => id)), sorted(ids), "something was lost or handled twice");
      assert.deepEqual(new Set(calls().map(({ attempt }) => attempt)), new Set([1]));
      await rig.until("the other use case has all", () => other.count === ids.length);
    },
  ),

  rule(
    "L6",
    "a paused use case: what runs ends and counts, retries come after it, and who starts handles nothing",
    async (rig) => {
      const { administration } = await rig.operate();
      const held = new Held();
      const calls = new Calls((call, context) => {
        if (call.name === "job.held") return held.handler(call.payload, context);
        if (call.name === "job.retried" && call.attempt === 1) throw new Error("once");
        return undefined;
      });
      const start = async () => {
        const app = rig.app({ retryDelay: RETRY_DELAY_MS, concurrency: 10 });
        await app.onEvent("job.*", { useCase: "jobs" }, calls.handler).start();
        return app;
      };
      const app = await start();
      await app.newEvent("job.held", {});
      await rig.until("one is being handled", () => held.count === 1);
      await publishMany(app, "job.retried", 3);
      await rig.until("the others wait for their retry", async () => (await app.stats()).jobs?.waiting === 3);
      await administration.pause("jobs");
      await rig.until("it knows", () => app.health().paused.length === 1);
      const before = calls.count;
      held.letGo();
      await rig.until("what ran has ended, and counts", async () => (await app.stats()).jobs?.inFlight === 0);
      const late = await start();
      assert.deepEqual(late.health().paused, ["jobs"]);
      await publishMany(late, "job.late", 3);
      await pause(RETRY_DELAY_MS + WATCHED_MS);
      assert.equal(calls.count, before, `${calls.names.slice(before).join()} was handled`);
      const jobs = (await late.stats()).jobs;
      assert.equal((jobs?.ready ?? 0) + (jobs?.waiting ?? 0), 6);
      await administration.resume("jobs");
      await rig.until("all are handled", () => calls.count === 1 + 3 * 2 + 3);
      await rig.untilEmpty(app);
      const attempts = (name: string) => calls.list.filter((call) => call.name === name).map(({ attempt }) => attempt);
      assert.deepEqual(attempts("job.retried").sort(), [1, 1, 1, 2, 2, 2]);
      assert.deepEqual(attempts("job.held"), [1]);
      assert.deepEqual(attempts("job.late"), [1, 1, 1]);
    },
  ),
];

async function pausedAccordingTo(administration: Administration): Promise<string> {
  try {
    return (await administration.paused()).join();
  } catch {
    // The connection may not be back yet.
    return "nothing is known";
  }
}
