import assert from "node:assert/strict";
import type { PapaApp } from "@papa-events/core";
import type { Delivery } from "@papa-events/core/transport";
import { Calls, Held } from "../rig/calls.ts";
import { declaration } from "../rig/declaring.ts";
import type { Rig } from "../rig/rig.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, rule } from "../rule.ts";
import { encoded, numbers, publishMany, sorted } from "./events.ts";

/** What a transport gets that has no trials. */
const UNBOUNDED = "a crash loop is not bounded";
const HARMLESS = 100;
/** How many redeliveries make an event a suspect; how many more there were, a transport need not know. */
const MAKES_SUSPECT = 2;
/** A process that handled only the poison would need 2 deaths to make it a suspect, and 5 in trials. */
const MAX_DEATHS = 25;

/** T6: an event that kills its process, and those that do not. */
export const crashLoops: readonly RuleTest[] = [
  rule("T6", "one event that kills its process among 100 that do not: 1 dead letter, 100 handled", async (rig) => {
    const publisher = rig.app().onEvent(["kills", "harmless"], { useCase: "mixed" }, new Calls().handler);
    await publisher.start();
    await publisher.stop();
    const connection = await rig.connect();
    const bounded = connection.trials !== undefined && connection.capabilities.countsRedeliveries;
    const poison = encoded("kills", {});
    const harmless = numbers(HARMLESS).map((number) => encoded("harmless", { number }));
    for (const event of [...harmless.slice(0, 10), poison, ...harmless.slice(10)])
      assert.deepEqual(await connection.publish([event]), []);
    const handled = new Set<string>();
    let deaths = 0;
    const finished = async (app: PapaApp) => {
      if (handled.size < HARMLESS + (bounded ? 0 : 1)) return false;
      try {
        return (await app.deadLetters("mixed").count()) >= (bounded ? 1 : 0);
      } catch {
        // It has just died.
        return false;
      }
    };
    for (;;) {
      const kills = bounded || deaths < 3;
      const life = await liveOnce(rig, { handled, kills });
      await rig.until(`life ${deaths + 1} ends`, async () => life.over || (await finished(life.app)));
      if (life.over) {
        deaths += 1;
        assert(deaths <= MAX_DEATHS, `${deaths} processes have died, and the event is not a dead letter`);
        continue;
      }
      await rig.untilEmpty(life.app);
      const { items } = await life.app.deadLetters("mixed").list();
      const expected = bounded ? [["crash-loop", poison.id]] : [];
      assert.deepEqual(
        items.map(({ reason, eventId }) => [reason, eventId]),
        expected,
      );
      const alive = harmless.map(({ id }) => id).filter((id) => !handled.has(id));
      assert.deepEqual(alive, [], "events that kill nobody were not handled");
      if (!bounded) rig.weaker.push(UNBOUNDED);
      return;
    }
  }),

  rule("T6", "clean stops behind a long handler condemn nothing", async (rig) => {
    const ids = new Set<string>();
    for (const round of numbers(5)) {
      const held = new Held();
      const app = rig.app({ concurrency: 1, drainTimeout: 100, crashLimit: 1 });
      app.onEvent("long", { useCase: "patient" }, held.handler);
      await app.start();
      if (round === 0) for (const id of await publishMany(app, "long", 10)) ids.add(id);
      await rig.until(`one is being handled in round ${round}`, () => held.count === 1);
      await app.stop();
      held.letGo();
      assert.deepEqual(held.attempts, [1]);
    }
    await allAreHandled(rig, ids);
  }),

  rule("T6", "lost connections of a process that lives condemn nothing", async (rig) => {
    const held = new Held();
    const app = rig.app({ concurrency: 20 }).onEvent("long", { useCase: "patient" }, held.handler);
    await app.start();
    const ids = new Set(await publishMany(app, "long", 10));
    await rig.until("all are being handled", () => held.distinct === 10);
    for (const _ of numbers(8)) {
      await rig.faults.cut();
      await rig.until("the connection is back", async () => {
        try {
          return (await app.stats()).patient !== undefined && app.health().healthy;
        } catch {
          return false;
        }
      });
      // So that what came back is handed out before the next cut.
      await pause(100);
    }
    held.letGo();
    await rig.untilEmpty(app);
    await app.stop();
    assert.deepEqual(sorted([...new Set(held.ids)]), sorted([...ids]));
    await allAreHandled(rig, new Set());
  }),

  rule("T6", "redeliveries are counted for a process that dies, not for events that are given back", async (rig) => {
    const counted = declaration("counted", "returned");
    const publisher = await rig.connect();
    await publisher.declarations.declare([counted]);
    assert.deepEqual(await publisher.publish([encoded("returned")]), []);
    const take = async () => {
      const deliveries: Delivery[] = [];
      const consumer = await rig.connect();
      const options = { readAhead: 10, declaration: counted.id };
      const subscription = await consumer.subscribe("counted", options, (each) => deliveries.push(each));
      await rig.until("it is delivered", () => deliveries.length === 1);
      const [delivery] = deliveries;
      assert(delivery !== undefined);
      assert.deepEqual([delivery.attempt, delivery.lost], [1, false]);
      return { consumer, subscription, delivery };
    };
    const released = await take();
    await released.subscription.stop();
    await released.delivery.settle({ kind: "release" });
    await released.consumer.close();
    const closed = await take();
    await closed.consumer.close();
    const counts: number[] = [];
    for (const _ of numbers(3)) {
      counts.push((await take()).delivery.redeliveries);
      await rig.faults.crash();
    }
    counts.push((await take()).delivery.redeliveries);
    if (!publisher.capabilities.countsRedeliveries) {
      assert.deepEqual(counts, [0, 0, 0, 0]);
      rig.weaker.push(UNBOUNDED);
      return;
    }
    const [first = 0] = counts;
    for (const [deaths, count] of counts.entries()) {
      assert(count <= first + deaths, `counted more than happened: ${counts}`);
      assert(count >= Math.min(first + deaths, MAKES_SUSPECT), `counted less than happened: ${counts}`);
    }
    if (first > 0)
      rig.weaker.push("what is given back counts as redelivered, which makes suspects and condemns nothing");
  }),

  rule("T6", "a trial that was never taken back is counted for every process; one that was is not", async (rig) => {
    const first = await rig.connect();
    await first.declarations.declare([declaration("tried", "a"), declaration("other", "a")]);
    if (first.trials === undefined) {
      rig.weaker.push(UNBOUNDED);
      return;
    }
    assert.equal(await first.trials.begin("tried", "event-1", "trial-1"), 0);
    await first.trials.end("tried", "event-1", "trial-1");
    assert.equal(await first.trials.begin("tried", "event-1", "trial-2"), 0, "taken back, and counted");
    await rig.faults.crash();
    const { trials } = await rig.connect();
    assert(trials !== undefined);
    assert.equal(await trials.begin("tried", "event-1", "trial-3"), 1, "a process died, and its trial is forgotten");
    assert.equal(await trials.begin("tried", "event-2", "trial-4"), 0, "it counts for another event");
    assert.equal(await trials.begin("other", "event-1", "trial-5"), 0, "it counts for another use case");
    await trials.end("tried", "event-1", "trial-3");
    assert.equal(await trials.begin("tried", "event-1", "trial-6"), 1);
    await trials.end("tried", "event-1");
    assert.equal(await trials.begin("tried", "event-1", "trial-7"), 0, "the records of an event that ended are kept");
  }),

  rule("T6", "a dead letter of a crash loop can be redriven, and the count begins anew", async (rig) => {
    const killer = declaration("killer", "deadly");
    const connection = await rig.connect();
    await connection.declarations.declare([killer]);
    if (connection.trials === undefined || !connection.capabilities.countsRedeliveries) {
      rig.weaker.push(UNBOUNDED);
      return;
    }
    const event = encoded("deadly", { n: 1 });
    await connection.publish([event]);
    for (const round of numbers(2)) {
      const consumer = await rig.connect();
      let delivered = false;
      await consumer.subscribe("killer", { readAhead: 10, declaration: killer.id }, () => (delivered = true));
      await rig.until(`it is delivered in round ${round}`, () => delivered);
      await rig.faults.crash();
    }
    const { trials } = await rig.connect();
    for (const number of numbers(3)) await trials?.begin("killer", event.id, `death-${number}`);
    const calls = new Calls();
    const app = rig.app({ crashLimit: 3 }).onEvent("deadly", { useCase: "killer" }, calls.handler);
    await app.start();
    const letters = app.deadLetters("killer");
    await rig.until("it is a dead letter", async () => (await letters.count()) === 1);
    assert.equal(calls.count, 0);
    const [letter] = (await letters.list()).items;
    assert.deepEqual([letter?.reason, letter?.eventId, letter?.attempts], ["crash-loop", event.id, 1]);
    assert.equal(await letters.redrive("all"), 1);
    await rig.until("it is handled", () => calls.count === 1);
    assert.deepEqual(calls.ids, [event.id]);
    await rig.untilEmpty(app);
  }),
];

/** One process: it dies when it handles an event called `kills`, if that one kills. */
async function liveOnce(
  rig: Rig,
  { handled, kills }: { readonly handled: Set<string>; readonly kills: boolean },
): Promise<{ readonly app: PapaApp; readonly over: boolean }> {
  const life = { over: false };
  const death = Promise.withResolvers<void>();
  const calls = new Calls(async ({ name, id }) => {
    if (name === "kills" && kills) {
      await rig.faults.crash();
      life.over = true;
      death.resolve();
    } else {
      await pause(5);
    }
    // A dead process handles nothing.
    if (life.over) await new Promise(() => {});
    handled.add(id);
  });
  // The dead ones need not be waited for.
  const app = rig
    .app({ drainTimeout: 50, concurrency: 20 })
    .onEvent(["kills", "harmless"], { useCase: "mixed" }, calls.handler);
  // It may die while it starts, and nobody hears what becomes of that.
  const started = app.start().catch((error: unknown) => {
    if (!life.over) throw error;
  });
  await Promise.race([started, death.promise]);
  return {
    app,
    get over() {
      return life.over;
    },
  };
}

/** Sees to it that an app handles what is left, and that nothing was given up. */
async function allAreHandled(rig: Rig, ids: ReadonlySet<string>): Promise<void> {
  const calls = new Calls();
  const app = rig.app({ crashLimit: 1 }).onEvent("long", { useCase: "patient" }, calls.handler);
  await app.start();
  await rig.until("all are handled", () => calls.distinct >= ids.size);
  await rig.untilEmpty(app);
  assert.deepEqual(sorted([...new Set(calls.ids)]), sorted([...ids]));
  assert.deepEqual(new Set(calls.attempts), new Set(ids.size > 0 ? [1] : []));
  assert.equal(await app.deadLetters("patient").count(), 0);
}
