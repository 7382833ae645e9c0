import assert from "node:assert/strict";
import type { ReceivedEvent, Subscription } from "@papa-events/core/transport";
import { declaration } from "../rig/declaring.ts";
import { Fleet } from "../rig/fleet.ts";
import type { Rig } from "../rig/rig.ts";
import { type RuleTest, rule, ruleAlone } from "../rule.ts";
import { numberOf } from "./burying.ts";
import { encoded, numbers, publishMany, sorted } from "./events.ts";

const BUSY = declaration("busy", "old", "new");
const OTHER = declaration("busy", "old");
/** How many are forwarded to an instance that cannot take them. */
const FORWARDED = 5;
/** For those that go by chance. */
const FORWARD_DELAY_MS = 500;
const INSTANCES = 6;
const EVENTS = 300;
/** How soon 99 of 100 events have to be handled by the one instance that accepts them. */
const SOON_MS = 3_000;
/** The bound where events meet that instance by chance. */
const BY_CHANCE_MS = 10_000;

/** R6: how soon an event reaches the instance that accepts it, and what becomes of it where that one is gone. */
export const forwarding: readonly RuleTest[] = [
  rule("R6", "what was forwarded to an instance that stops before it takes it is anybody's", async (rig) => {
    const { stopping, others } = await forwardToOneThatIsBusy(rig);
    await stopping.stop();
    await rig.until("the other one gets it", () => new Set(others.map(numberOf)).size === FORWARDED);
  }),

  rule("R6", "what was forwarded to an instance that dies before it takes it is anybody's", async (rig) => {
    await forwardToOneThatIsBusy(rig);
    await rig.faults.crash();
    const next = await rig.connect();
    const taken: ReceivedEvent[] = [];
    await next.declarations.declare([OTHER]);
    await next.subscribe("busy", { readAhead: 50, declaration: OTHER.id }, ({ event }) => taken.push(event));
    // With the one that it was busy with.
    await rig.until(
      () => `the next one gets them all; it has ${taken.map(numberOf).join()}`,
      () => new Set(taken.map(numberOf)).size === FORWARDED + 1,
    );
  }),

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

/** One instance that has all it may hold, and another one that has forwarded events to it. */
async function forwardToOneThatIsBusy(rig: Rig): Promise<{ stopping: Subscription; others: ReceivedEvent[] }> {
  const [busy, forwarding] = [await rig.connect(), await rig.connect()];
  await busy.declarations.declare([BUSY]);
  let held = 0;
  const stopping = await busy.subscribe("busy", { readAhead: 1, declaration: BUSY.id }, () => {
    held += 1;
  });
  await busy.publish([encoded("new", { number: -1 })]);
  await rig.until("it is busy", () => held === 1);
  await forwarding.declarations.declare([OTHER]);
  const others: ReceivedEvent[] = [];
  const forwarded = new Set<number>();
  await forwarding.subscribe("busy", { readAhead: 50, declaration: OTHER.id }, async (delivery) => {
    const number = numberOf(delivery.event);
    if (forwarded.has(number)) {
      others.push(delivery.event);
      return;
    }
    const event = encoded("new", { number });
    if ((await delivery.settle({ kind: "forward", delay: FORWARD_DELAY_MS, event, to: BUSY.id })) === "stored")
      forwarded.add(number);
  });
  await busy.publish(numbers(FORWARDED).map((number) => encoded("new", { number })));
  await rig.until("they are forwarded", () => forwarded.size === FORWARDED);
  assert.equal(held, 1, "it was handed more than it reads ahead");
  return { stopping, others };
}
