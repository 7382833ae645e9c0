import assert from "node:assert/strict";
import { Fleet } from "../rig/fleet.ts";
import { type RuleTest, ruleAlone } from "../rule.ts";
import { publishMany, sorted } from "./events.ts";

const INSTANCES = 6;
const EVENTS = 300;
/** How soon 99 of 100 events have to be handled by the one instance that accepts them. */
const SOON_MS = 3_000;
/** The bound where events meet that instance by chance. */
const BY_CHANCE_MS = 10_000;

/** R6: how soon an event reaches the instance that accepts it. */
export const forwarding: readonly RuleTest[] = [
  ruleAlone("R6", "six instances, one of which accepts them: 300 events are handled within 3 s (p99)", async (rig) => {
    const instances = Math.min(INSTANCES, rig.description.mostInstances ?? INSTANCES);
    if (instances < INSTANCES) rig.weaker.push(`events are shared among at most ${instances} instances here`);
    const fleet = new Fleet(rig, { useCase: "deployed", patterns: ["old"] });
    for (let older = 1; older < instances; older += 1) await fleet.join();
    const { app, calls } = await fleet.join({ patterns: ["old", "new"] });
    const { capabilities } = await rig.connect();
    const published = performance.now();
    const ids = await publishMany(app, "new", EVENTS);
    await rig.until(
      () => `all are handled by the one that accepts them; it has handled ${calls.distinct}`,
      () => calls.distinct === EVENTS,
    );
    assert.deepEqual(sorted([...new Set(calls.ids)]), sorted(ids));
    assert.deepEqual(new Set(calls.attempts), new Set([1]));
    const others = fleet.instances.filter((each) => each.calls !== calls);
    assert(
      others.every((each) => each.calls.count === 0),
      "an instance has handled what it does not accept",
    );
    const took = calls.list.map(({ at }) => at - published).sort((a, b) => a - b);
    const p99 = took[Math.floor(took.length * 0.99) - 1] ?? Number.POSITIVE_INFINITY;
    const bound = capabilities.addressedForwarding ? SOON_MS : BY_CHANCE_MS;
    assert(p99 <= bound, `99 of 100 took up to ${Math.round(p99)} ms, not ${bound}`);
    if (p99 > SOON_MS) rig.weaker.push(`events meet the instance by chance, within ${BY_CHANCE_MS / 1_000} s (p99)`);
  }),
];
