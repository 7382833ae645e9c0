import assert from "node:assert/strict";
import { Calls } from "../rig/calls.ts";
import { Fleet } from "../rig/fleet.ts";
import { Load } from "../rig/load.ts";
import type { Rig } from "../rig/rig.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, ruleAlone } from "../rule.ts";
import { numbers, sorted } from "./events.ts";
import { sharesFlow } from "./fair-share.ts";

const INSTANCES = 3;
const SOME = 20;

/** L10: everything is restarted, one after the other. */
export const rollingRestarts: readonly RuleTest[] = [
  ruleAlone(
    "L10",
    "instances and broker restarted one by one, under load: nothing lost, nothing repeated by clean stops, all share",
    async (rig) => {
      const calls = new Calls(() => pause(10));
      const act = calls.handler;
      const fleet = new Fleet(rig, {
        useCase: "restarted",
        patterns: ["load", "later"],
        concurrency: 5,
        act: (call, context) => act(call.payload, context),
      });
      for (const _ of numbers(INSTANCES)) await fleet.join();
      const load = new Load(rig, await rig.publisher());
      const isUnderWay = () => goesOn(rig, calls);
      for (const _ of numbers(INSTANCES)) await replaceOldest(fleet, isUnderWay);
      const repeated = calls.count - calls.distinct;
      await restartBroker(rig);
      await replaceOldest(fleet, isUnderWay);
      const ids = await load.stop();
      await rig.until(
        () => `all are handled; ${calls.distinct} of ${ids.length} are`,
        () => calls.distinct === ids.length,
      );
      assert.deepEqual(sorted([...new Set(calls.ids)]), sorted(ids));
      assert.deepEqual(new Set(calls.attempts), new Set([1]));
      const { capabilities } = await rig.connect();
      if (capabilities.exclusive !== "until-evicted")
        assert.equal(repeated, 0, `${repeated} events were handled twice although all stopped cleanly`);
      else if (repeated > 0) rig.weaker.push("when instances join and leave, some events are handled twice");
      await sharesFlow(rig, fleet);
    },
  ),
];

/** As a deployment does: the new one first. */
async function replaceOldest(fleet: Fleet, isUnderWay: () => Promise<void>): Promise<void> {
  const [oldest] = fleet.instances;
  assert(oldest !== undefined);
  await fleet.join();
  await isUnderWay();
  await fleet.leave(oldest);
}

/** Resolves when some more have been handled. */
function goesOn(rig: Rig, calls: Calls): Promise<void> {
  const before = calls.count;
  return rig.until("it goes on", () => calls.count >= before + SOME);
}

/** Or, where there is none to be restarted, has it lose all connections. */
async function restartBroker(rig: Rig): Promise<void> {
  const { restart } = rig.description.faults;
  if (typeof restart !== "string") return restart();
  rig.weaker.push(`the broker is not restarted: ${restart}`);
  await rig.faults.cut();
}
