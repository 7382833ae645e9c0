import assert from "node:assert/strict";
import { Fleet, type Instance } from "../rig/fleet.ts";
import type { Rig } from "../rig/rig.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, rule, ruleAlone } from "../rule.ts";
import { numbers, publishMany } from "./events.ts";

/** How many events each instance should get of a flow. */
const FAIR_SHARE = 20;
/** From when on an instance that joins has its share. */
const SETTLED_MS = 10_000;
/** How long shares are counted under a backlog. */
const WINDOW_MS = 1_500;

/** R8: instances that can work get work. */
export const fairShare: readonly RuleTest[] = [
  rule("R8", "idle instances that start one after another share what comes later", async (rig) => {
    const fleet = new Fleet(rig, { useCase: "idle", patterns: ["later"], concurrency: 2, act: () => pause(10) });
    for (const size of [2, 3, 6]) {
      while (fleet.instances.length < size) await fleet.join();
      await sharesFlow(rig, fleet);
    }
  }),

  rule("R8", "idle instances that read far ahead share what comes later too", async (rig) => {
    const fleet = new Fleet(rig, { useCase: "greedy", patterns: ["later"], concurrency: 200, act: () => pause(10) });
    for (const _ of numbers(3)) await fleet.join();
    await sharesFlow(rig, fleet);
  }),

  rule("R8", "after joins, clean stops and deaths none of those that are left stays idle", async (rig) => {
    const fleet = new Fleet(rig, { useCase: "changing", patterns: ["later"], concurrency: 2, act: () => pause(10) });
    for (const _ of numbers(3)) await fleet.join();
    for (const _ of numbers(2)) {
      const [oldest] = fleet.instances;
      assert(oldest !== undefined);
      await fleet.leave(oldest);
      await fleet.join();
    }
    await sharesFlow(rig, fleet);
    await rig.faults.crash();
    fleet.instances.length = 0;
    for (const _ of numbers(3)) await fleet.join();
    await sharesFlow(rig, fleet);
  }),

  ruleAlone("R8", "an instance that joins a backlog handles at least half its fair share after 10 s", async (rig) => {
    const fleet = new Fleet(rig, { useCase: "busy", patterns: ["piled"], concurrency: 2, act: () => pause(40) });
    const first = await fleet.join();
    await publishMany(await rig.publisher(), "piled", 1_500);
    await rig.until("the first is busy", () => first.calls.count > 4);
    const second = await fleet.join();
    const joined = performance.now();
    let share = 0;
    // Half of its fair share, or more, as soon as may be and in the end for good.
    while (share < 1 / 4) {
      const late = performance.now() - joined - SETTLED_MS;
      share = await shareWithin(WINDOW_MS, second, fleet);
      assert(share >= 1 / 4 || late < 0, `10 s after its start it handles ${Math.round(share * 100)} % and not 25`);
    }
  }),
];

/**
 * Publishes a flow, and sees to it that each instance gets at least half of its fair share of it, where the broker can
 * share among so many. What a broker needs to notice that somebody has joined is waited for.
 */
export async function sharesFlow(rig: Rig, fleet: Fleet): Promise<void> {
  const size = fleet.instances.length;
  const sharing = Math.min(size, rig.description.mostInstances ?? size);
  const { app } = fleet.instances[0] ?? (await fleet.join());
  const fair = (FAIR_SHARE * size) / sharing;
  const started = performance.now();
  for (;;) {
    const before = fleet.counts();
    const handled = () => fleet.shares(before).reduce((sum, share) => sum + share, 0);
    for (const _ of numbers(FAIR_SHARE)) {
      await publishMany(app, "later", size);
      await pause(10);
    }
    await rig.until("the flow is handled", () => handled() >= FAIR_SHARE * size);
    const shares = fleet.shares(before);
    if (shares.slice(0, sharing).every((share) => share >= fair / 2)) break;
    const late = performance.now() - started > SETTLED_MS;
    assert(!late, `of ${size} instances the shares are ${shares}`);
  }
  if (sharing < size) rig.weaker.push(`events are shared among at most ${sharing} instances here`);
}

/** Which part of all that is handled in a time one instance handles. */
async function shareWithin(milliseconds: number, instance: Instance, fleet: Fleet): Promise<number> {
  const before = fleet.counts();
  await pause(milliseconds);
  const all = fleet.shares(before).reduce((sum, share) => sum + share, 0);
  assert(all > 0, "nothing is handled although events wait");
  return (instance.calls.count - (before.get(instance) ?? 0)) / all;
}
