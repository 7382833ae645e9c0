import assert from "node:assert/strict";
import { Calls, failing } from "../rig/calls.ts";
import { type RuleTest, rule } from "../rule.ts";
import { numbers, publishMany, sorted } from "./events.ts";
import { wildcardTable } from "./wildcard-table.ts";

/** R1 to R5 and R7: who gets an event. */
export const routing: readonly RuleTest[] = [
  rule("R1", "an event published when start() has just resolved reaches the use case", async (rig) => {
    const publisher = await rig.publisher();
    for (const round of numbers(3)) {
      const calls = new Calls();
      const app = rig.app().onEvent(`round.${round}`, { useCase: `new_${round}` }, calls.handler);
      await app.start();
      await publisher.newEvent(`round.${round}`, {});
      await rig.until(`the event of round ${round} is handled`, () => calls.count === 1);
    }
  }),

  rule("R1", "events published while no instance runs are handled by the next one", async (rig) => {
    const first = rig.app().onEvent("kept.*", { useCase: "keeper" }, new Calls().handler);
    await first.start();
    await first.stop();
    const ids = await publishMany(await rig.publisher(), "kept.here", 30);
    const calls = new Calls();
    const second = rig.app().onEvent("kept.*", { useCase: "keeper" }, calls.handler);
    await second.start();
    await rig.until("all 30 events are handled", () => calls.count >= 30);
    assert.deepEqual(sorted(calls.ids), sorted(ids));
  }),

  rule("R1", "many publishers and many use cases: each use case gets every event", async (rig) => {
    const all = numbers(5).map(() => new Calls());
    const app = rig.app();
    for (const [index, calls] of all.entries())
      app.onEvent(["a", "b.*"], { useCase: `reader_${index}` }, calls.handler);
    await app.start();
    const publishers = await Promise.all(numbers(3).map(() => rig.publisher()));
    const ids = (
      await Promise.all(publishers.flatMap((each) => [publishMany(each, "a", 20), publishMany(each, "b.c", 20)]))
    ).flat();
    for (const calls of all) await rig.until("each use case has all", () => calls.count >= ids.length);
    for (const calls of all) assert.deepEqual(sorted(calls.ids), sorted(ids));
  }),

  rule("R2", "an event that matches several patterns of a use case is delivered once", async (rig) => {
    const calls = new Calls();
    const patterns = ["order.placed", "order.*", "order.#", "#", "*.placed"];
    const app = rig.app().onEvent(patterns, { useCase: "once" }, calls.handler);
    await app.start();
    const ids = await publishMany(app, "order.placed", 10);
    await rig.until("all are handled", () => calls.distinct === 10);
    await rig.untilEmpty(app);
    assert.deepEqual(sorted(calls.ids), sorted(ids));
  }),

  rule("R2", "instances of a use case compete: each event is handled by one of them", async (rig) => {
    const instances = numbers(3).map(() => new Calls());
    const apps = instances.map((calls) =>
      rig.app({ concurrency: 2 }).onEvent("shared", { useCase: "competing" }, calls.handler),
    );
    await Promise.all(apps.map((app) => app.start()));
    const [app] = apps;
    assert(app !== undefined);
    const ids = await publishMany(app, "shared", 150);
    const handled = () => instances.flatMap((calls) => calls.ids);
    await rig.until("all are handled", () => new Set(handled()).size === 150);
    await rig.untilEmpty(app);
    assert.deepEqual(sorted(handled()), sorted(ids));
  }),

  rule("R3", "failing, retrying and dead-lettering in one use case is invisible to the others", async (rig) => {
    const healthy = new Calls();
    const observer = new Calls();
    const broken = failing();
    const app = rig
      .app({ retries: 2, retryDelay: 100 })
      .onEvent("paid", { useCase: "healthy" }, healthy.handler)
      .onEvent("#", { useCase: "observer" }, observer.handler)
      .onEvent("paid", { useCase: "broken" }, broken.handler);
    await app.start();
    const ids = await publishMany(app, "paid", 5);
    await rig.until("the broken one has given all up", async () => (await app.deadLetters("broken").count()) === 5);
    await rig.untilEmpty(app);
    assert.equal(broken.count, 15);
    assert.deepEqual(sorted(healthy.ids), sorted(ids));
    assert.deepEqual(sorted(observer.ids), sorted(ids));
    assert.deepEqual(new Set(observer.attempts), new Set([1]));
    assert.equal(await app.deadLetters("healthy").count(), 0);
    assert.equal(await app.deadLetters("observer").count(), 0);
  }),

  rule("R4", "the matching is the same for every pattern and name", wildcardTable),

  rule("R4", "an event called like a use case is not handled by it unless a pattern matches", async (rig) => {
    const named = new Calls();
    const matching = new Calls();
    const app = rig
      .app()
      .onEvent("something.else", { useCase: "called_so" }, named.handler)
      .onEvent(["called_so", "end"], { useCase: "matching" }, matching.handler);
    await app.start();
    await publishMany(app, "called_so", 3);
    await app.newEvent("something.else", {});
    await rig.until("the others are handled", () => matching.count === 3 && named.count >= 1);
    await rig.untilEmpty(app);
    assert.deepEqual(named.names, ["something.else"]);
    assert.equal(await app.deadLetters("called_so").count(), 0);
  }),

  rule("R4", "names of ten words and of 200 bytes are routed like any other", async (rig) => {
    const names = ["a.b.c.d.e.f.g.h.i.j", `${"x".repeat(99)}.${"Y".repeat(100)}`, "A_b-9.0", "__proto__.constructor"];
    const calls = new Calls();
    const exact = new Calls();
    const app = rig
      .app()
      .onEvent(["#.j", "*.*"], { useCase: "wild" }, calls.handler)
      .onEvent(names, { useCase: "exact" }, exact.handler);
    await app.start();
    for (const name of names) await app.newEvent(name, {});
    await rig.until("all are handled", () => calls.count >= 4 && exact.count >= 4);
    await rig.untilEmpty(app);
    assert.deepEqual(sorted(calls.names), sorted(names));
    assert.deepEqual(sorted(exact.names), sorted(names));
  }),

  rule(
    "R5",
    "an event that no pattern matches is accepted, forgotten, and not given to a later use case",
    async (rig) => {
      const publisher = await rig.publisher();
      await publishMany(publisher, "unwanted", 10);
      const calls = new Calls();
      const app = rig.app().onEvent(["unwanted", "wanted"], { useCase: "late" }, calls.handler);
      await app.start();
      await publisher.newEvent("wanted", {});
      await rig.until("the wanted one is handled", () => calls.names.includes("wanted"));
      await rig.untilEmpty(app);
      assert.deepEqual(calls.names, ["wanted"]);
    },
  ),

  rule("R7", "the first events of names never published before reach wildcard subscribers", async (rig) => {
    const calls = new Calls();
    const app = rig.app().onEvent(["#"], { useCase: "all" }, calls.handler);
    await app.start();
    const { capabilities } = await rig.connect();
    const names = numbers(20).map((number) => `fresh-${number}.${rig.namespace}.first`);
    const started = performance.now();
    await Promise.all(names.map((name) => app.newEvent(name, {})));
    await rig.until("all are handled", () => calls.count >= names.length);
    assert.deepEqual(sorted(calls.names), sorted(names));
    const latest = Math.max(...calls.list.map(({ at }) => at)) - started;
    // Beyond what the transport says about itself: an idle machine's leeway.
    assert(latest <= capabilities.discovery + 5_000, `the last took ${Math.round(latest)} ms`);
    if (capabilities.discovery > 0) rig.weaker.push(`discovery takes up to ${capabilities.discovery} ms`);
  }),
];
