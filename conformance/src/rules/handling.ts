import assert from "node:assert/strict";

import type { EventContext } from "@papa-events/core";
import type { Delivery } from "@papa-events/core/transport";
import { Calls, Held, taking } from "../rig/calls.ts";
import { declaration } from "../rig/declaring.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, rule } from "../rule.ts";
import { encoded, numbers, publishMany, sorted } from "./events.ts";

/** H1 to H7 but for what a handler returns. */
export const handling: readonly RuleTest[] = [
  rule("H1", "an event whose handler had not returned when its process died is handled again", async (rig) => {
    const held = new Held();
    const app = rig.app().onEvent("risky", { useCase: "crashing" }, held.handler);
    await app.start();
    const ids = await publishMany(app, "risky", 5);
    await rig.until("all are being handled", () => held.count === 5);
    await rig.faults.crash();
    const calls = new Calls();
    const next = rig.app().onEvent("risky", { useCase: "crashing" }, calls.handler);
    await next.start();
    await rig.until("all are handled again", () => calls.distinct === 5);
    held.letGo();
    assert.deepEqual(sorted(calls.ids), sorted(ids));
  }),

  rule("H1", "an event is not gone before its settlement is stored, whoever closes", async (rig) => {
    const connection = await rig.connect();
    const unsettled = declaration("unsettled", "held");
    await connection.declarations.declare([unsettled]);
    const event = encoded("held", { n: 1 });
    assert.deepEqual(await connection.publish([event]), []);
    for (const round of numbers(3)) {
      const consumer = await rig.connect();
      const deliveries: Delivery[] = [];
      await consumer.subscribe("unsettled", { readAhead: 10, declaration: unsettled.id }, (delivery) =>
        deliveries.push(delivery),
      );
      await rig.until(`it is delivered in round ${round}`, () => deliveries.length === 1);
      const [delivery] = deliveries;
      assert.equal(delivery?.attempt, 1);
      assert.deepEqual(Buffer.from(delivery?.event.body ?? []), Buffer.from(event.body));
      await consumer.close();
    }
  }),

  rule("H1", "while connected, an event that is not settled is not handed out again", async (rig) => {
    const connection = await rig.connect();
    const once = declaration("once", "quiet");
    await connection.declarations.declare([once]);
    let deliveries = 0;
    await connection.subscribe("once", { readAhead: 50, declaration: once.id }, () => (deliveries += 1));
    await connection.publish(numbers(20).map((number) => encoded("quiet", { number })));
    await rig.until("all are delivered", () => deliveries >= 20);
    await pause(1_000);
    assert.equal(deliveries, 20);
  }),

  rule("H1", "what a handler returned is published although connections are lost on the way", async (rig) => {
    const outputs = new Calls();
    const relay = new Calls(async ({ id }) => {
      await pause(5);
      return { name: "relayed", payload: { of: id } };
    });
    const app = rig.app({ concurrency: 10 });
    app
      .onEvent("incoming", { useCase: "relay" }, relay.handler)
      .onEvent("relayed", { useCase: "sink" }, outputs.handler);
    await app.start();
    const publisher = await rig.publisher();
    const ids = await publishMany(publisher, "incoming", 100);
    for (const _ of numbers(3)) {
      await pause(20);
      await rig.faults.cut();
    }
    const sources = () => outputs.list.map(({ payload }) => (payload as { of: string }).of);
    await rig.until("every event's output is handled", () => new Set(sources()).size === 100);
    await rig.untilEmpty(app);
    assert.deepEqual(sorted([...new Set(sources())]), sorted(ids));
    const { capabilities } = await rig.connect();
    const published = new Set(outputs.ids).size;
    if (capabilities.atomicOutputs) assert.equal(published, 100, "outputs and acknowledgement are not one step");
    else rig.weaker.push("outputs are stored before the acknowledgement; a loss in between publishes them twice");
  }),

  rule("H1", "kill -9 of consumers at any point loses nothing", async (rig) => {
    const outputs = new Calls();
    const app = rig.app().onEvent("relayed", { useCase: "sink" }, outputs.handler);
    await app.start();
    const first = rig.program("consume", { takes: 10 });
    await rig.until("the program consumes", () => first.running && first.said.includes("ready"));
    const ids = await publishMany(app, "made", 150);
    await rig.until("it has begun", () => first.said.length > 10);
    await first.kill();
    const second = rig.program("consume", { takes: 10 });
    await rig.until("the next one has begun", () => second.running && second.said.length > 10);
    await second.kill();
    const last = rig.program("consume", { takes: 0 });
    const handled = () => new Set(outputs.list.map(({ payload }) => (payload as { id: string }).id));
    await rig.until("every event's output is handled", () => last.running && handled().size === 150);
    assert.deepEqual(sorted([...handled()]), sorted(ids));
  }),

  rule("H2", "at most `concurrency` handler calls run per use case and instance", async (rig) => {
    const instances = [taking(15), taking(15)];
    const other = taking(15);
    const apps = instances.map((calls) =>
      rig.app({ concurrency: 3 }).onEvent("busy", { useCase: "limited" }, calls.handler),
    );
    apps[0]?.onEvent("busy", { useCase: "other", concurrency: 1 }, other.handler);
    await Promise.all(apps.map((app) => app.start()));
    const [app] = apps;
    assert(app !== undefined);
    await publishMany(app, "busy", 60);
    const handled = () => instances.reduce((sum, calls) => sum + calls.count - calls.running, 0);
    await rig.until("all are handled", () => handled() === 60 && other.count === 60);
    assert(
      instances.every(({ most }) => most <= 3),
      `at once: ${instances.map(({ most }) => most)}`,
    );
    assert.equal(Math.max(...instances.map(({ most }) => most)), 3, "the concurrency is not used");
    assert.equal(other.most, 1);
  }),

  rule(
    "H2",
    "back-pressure: at most `readAhead` deliveries are unsettled, and the limit can be changed",
    async (rig) => {
      const connection = await rig.connect();
      const slow = declaration("slow", "many");
      await connection.declarations.declare([slow]);
      await connection.publish(numbers(60).map((number) => encoded("many", { number })));
      const open: Delivery[] = [];
      let delivered = 0;
      const subscription = await connection.subscribe("slow", { readAhead: 5, declaration: slow.id }, (delivery) => {
        delivered += 1;
        open.push(delivery);
      });
      const settleOne = () => open.shift()?.settle({ kind: "done", outputs: [] });
      await rig.until("the first are delivered", () => delivered >= 5);
      await pause(200);
      assert.equal(delivered, 5);
      await settleOne();
      await rig.until("one more is delivered for one settled", () => delivered >= 6);
      await pause(200);
      assert.equal(delivered, 6);
      subscription.readAhead(20);
      await settleOne();
      await rig.until("the new limit is used", () => open.length >= 20);
      await pause(200);
      assert.equal(open.length, 20);
      await subscription.stop();
      const before = delivered;
      await Promise.all(open.map((delivery) => delivery.settle({ kind: "done", outputs: [] })));
      await pause(200);
      assert.equal(delivered, before, "delivered after the subscription was stopped");
    },
  ),

  rule("H3", "a handler slower than any lease is not handed the same event again", async (rig) => {
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const instances = numbers(2).map(() => new Calls(({ name }) => (name === "slow" ? held : undefined)));
    const apps = instances.map((calls) => rig.app().onEvent(["slow", "quick"], { useCase: "leased" }, calls.handler));
    const [first, second] = apps;
    assert(first !== undefined && second !== undefined);
    const count = (name: string) => instances.flatMap(({ names }) => names).filter((each) => each === name).length;
    await first.start();
    await first.newEvent("slow", {});
    await rig.until("it is being handled", () => count("slow") === 1);
    await second.start();
    await pause((rig.description.longestLease ?? 1_000) * 1.5);
    await publishMany(second, "quick", 10);
    await rig.until("others are handled meanwhile", () => count("quick") === 10);
    assert.equal(count("slow"), 1, "the event was handed out again while its handler ran");
    letGo();
    await rig.untilEmpty(first);
    assert.equal(count("slow"), 1);
    const { capabilities } = await rig.connect();
    if (capabilities.exclusive === "until-evicted") rig.weaker.push("until the broker evicts the instance");
  }),

  rule("H5", "a payload that is no JSON becomes a dead letter at once, and harms no neighbour", async (rig) => {
    const calls = new Calls();
    const app = rig.app().onEvent("mixed", { useCase: "poisoned" }, calls.handler);
    await app.start();
    const connection = await rig.connect();
    const poison = [Buffer.from("{ no json"), Buffer.from([0xff, 0xfe, 0x00]), Buffer.alloc(0)];
    const good = numbers(20).map((number) => encoded("mixed", { number }));
    const batch = [...good.slice(0, 7), ...poison.map((body) => encoded("mixed", body)), ...good.slice(7)];
    const size = connection.capabilities.publishing.eventsPerCall;
    for (let from = 0; from < batch.length; from += size)
      assert.deepEqual(await connection.publish(batch.slice(from, from + size)), []);
    const letters = app.deadLetters("poisoned");
    await rig.until(
      "the good are handled, the others dead",
      async () => calls.count >= 20 && (await letters.count()) >= 3,
    );
    await rig.untilEmpty(app);
    assert.deepEqual(sorted(calls.ids), sorted(good.map(({ id }) => id)));
    assert(calls.attempts.every((attempt) => attempt === 1));
    const { items } = await letters.list();
    assert.equal(items.length, 3);
    for (const { reason, attempts, payload } of items) {
      assert.deepEqual({ reason, attempts, payload }, { reason: "invalid-payload", attempts: 1, payload: undefined });
    }
    const bodies = items.map(({ body }) => Buffer.from(body).toString("hex"));
    assert.deepEqual(sorted(bodies), sorted(poison.map((body) => body.toString("hex"))));
  }),

  rule("H5", "a payload that the schema refuses becomes a dead letter at once", async (rig) => {
    const calls = new Calls();
    const app = rig.app().onEvent("typed", { useCase: "typed", schema: numberSchema }, calls.handler);
    await app.start();
    await app.newEvents([
      { name: "typed", payload: 1 },
      { name: "typed", payload: "one" },
      { name: "typed", payload: 2 },
    ]);
    const letters = app.deadLetters("typed");
    await rig.until("two are handled, one is dead", async () => calls.count === 2 && (await letters.count()) === 1);
    const [letter] = (await letters.list()).items;
    assert.equal(letter?.reason, "invalid-payload");
    assert.equal(letter?.payload, "one");
    assert.match(letter?.error.message ?? "", /a number is needed/);
    assert.deepEqual(sorted(calls.list.map(({ payload }) => String(payload))), ["2", "4"]);
  }),

  rule("H6", "a handler gets the parsed payload and the whole context, the same on every attempt", async (rig) => {
    const contexts: EventContext[] = [];
    const app = rig.app({ retries: 2, retryDelay: 50 }).onEvent("#.told", { useCase: "told" }, async (_, context) => {
      contexts.push(context);
      if (context.attempt < 3) throw new Error("again");
    });
    await app.start();
    const before = Date.now();
    const { id } = await app.newEvent("a.story.told", { of: ["x"] }, { headers: { tenant: "t-1" } });
    await rig.until("the third attempt has come", () => contexts.length === 3);
    for (const [index, context] of contexts.entries()) {
      const { eventName, attempt, useCase, headers, payload, signal, logger, time } = context;
      assert.deepEqual(
        { eventName, attempt, useCase, id: context.id },
        { eventName: "a.story.told", attempt: index + 1, useCase: "told", id },
      );
      assert.deepEqual({ ...headers }, { tenant: "t-1" });
      assert.deepEqual(payload, { of: ["x"] });
      assert(signal instanceof AbortSignal && !signal.aborted);
      assert.equal(typeof logger.info, "function");
      assert(Math.abs(time.getTime() - before) < 10_000, time.toISOString());
      assert.equal(time.getTime(), contexts[0]?.time.getTime());
    }
  }),

  rule(
    "H7",
    "a handler that exceeds its timeout has failed, its signal aborts, its outputs are not published",
    async (rig) => {
      const aborted: boolean[] = [];
      const outputs = new Calls();
      const calls = new Calls(async (_, { signal }) => {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        aborted.push(signal.aborted);
        return { name: "too-late", payload: {} };
      });
      const app = rig
        .app()
        .onEvent("slow", { useCase: "timed", timeout: 100, retries: 1, retryDelay: 50 }, calls.handler);
      app.onEvent("too-late", { useCase: "outputs" }, outputs.handler);
      await app.start();
      await app.newEvent("slow", {});
      const letters = app.deadLetters("timed");
      await rig.until("it is a dead letter", async () => (await letters.count()) === 1);
      assert.deepEqual(calls.attempts, [1, 2]);
      assert.deepEqual(aborted, [true, true]);
      assert.equal((await letters.list()).items[0]?.reason, "retries-exhausted");
      await rig.untilEmpty(app);
      assert.equal(outputs.count, 0);
    },
  ),
];

/** Accepts numbers and doubles them. */
const numberSchema = {
  "~standard": {
    version: 1,
    vendor: "conformance",
    validate: (value: unknown) =>
      typeof value === "number" ? { value: value * 2 } : { issues: [{ message: "a number is needed" }] },
  },
} as const;
