import assert from "node:assert/strict";
import { isPapaError } from "@papa-events/core";
import type { Connection, ConnectionStatus, Delivery } from "@papa-events/core/transport";
import { Calls, Held, taking } from "../rig/calls.ts";
import { declaration } from "../rig/declaring.ts";
import type { Rig } from "../rig/rig.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, rule, ruleAlone } from "../rule.ts";
import { encoded, numbers, publishMany, sorted } from "./events.ts";

/** L1 to L5. */
export const living: readonly RuleTest[] = [
  rule("L1", "start() declares again what exists, and finds everything where it was", async (rig) => {
    const all: Calls[] = [];
    const start = async () => {
      const calls = new Calls();
      all.push(calls);
      const app = rig.app().onEvent(["again", "again.#"], { useCase: "declared" }, calls.handler);
      await app.start();
      return app;
    };
    const apps = await Promise.all([start(), start(), start()]);
    await publishMany(apps[0], "again", 20);
    const handled = () => all.flatMap(({ ids }) => ids);
    await rig.until("all are handled", () => handled().length >= 20);
    for (const app of apps) await app.stop();
    const last = await start();
    await last.newEvent("again.and.again", {});
    await rig.until("the last is handled", () => handled().length >= 21);
    await rig.untilEmpty(last);
    assert.equal(new Set(handled()).size, 21);
    assert.equal(handled().length, 21);
  }),

  rule("L1", "a conflicting existing topology is a typed error that names the object", async (rig) => {
    const conflict = rig.offered(rig.description.conflict);
    const name = await conflict(rig.namespace, "conflicting");
    const app = rig.app().onEvent("a", { useCase: "conflicting" }, new Calls().handler);
    await assert.rejects(app.start(), (error) => {
      assert(isPapaError(error, "topology-conflict"), String(error));
      assert(error.details.object.includes(name) || error.message.includes(name), error.message);
      assert.notEqual(error.details.difference, "");
      return true;
    });
  }),

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
    const publisher = await rig.publisher();
    const publishing = Promise.allSettled(numbers(100).map(() => publisher.newEvent("last.words", {})));
    await publisher.stop();
    const ids = (await publishing).flatMap((result) => (result.status === "fulfilled" ? [result.value.id] : []));
    assert.equal(ids.length, 100, "a publish was rejected although the broker was there");
    await rig.until("all that resolved are handled", () => ids.every((id) => calls.ids.includes(id)));
  }),

  rule("L3", "lost connections are made again, and consuming goes on", async (rig) => {
    const calls = new Calls();
    const app = rig.app().onEvent("steady", { useCase: "steady" }, calls.handler);
    await app.start();
    const publisher = await rig.publisher();
    const ids: string[] = [];
    for (const round of numbers(4)) {
      await rig.faults.cut();
      ids.push(...(await publishMany(publisher, "steady", 10)));
      await rig.until(`the events of round ${round} are handled`, () => calls.distinct >= ids.length);
    }
    assert.deepEqual(sorted([...new Set(calls.ids)]), sorted(ids));
    await rig.until("both are healthy", () => app.health().healthy && publisher.health().healthy);
  }),

  rule("L3", "the app is told when the broker is away and when it is back", async (rig) => {
    const told: ConnectionStatus[] = [];
    const connection = await rig.connect((status) => told.push(status));
    await connection.declarations.declare([declaration("known", "a")]);
    assert.equal(told.length, 0);
    await rig.faults.disconnect();
    await rig.until("it is told of the loss", () => told.at(-1)?.connected === false);
    const [answer] = await connection.publish([encoded("a")]);
    assert(answer !== undefined && answer.index === 0, "a publish was confirmed while the broker was away");
    assert(isPapaError(answer.error) && answer.error.retryable, String(answer.error));
    await rig.faults.reconnect();
    await rig.until("it is told of the return", () => told.at(-1)?.connected === true);
    assert.deepEqual(await connection.publish([encoded("a")]), []);
  }),

  rule("L3", "an acknowledgement of before the loss is dropped, never applied to something else", async (rig) => {
    const connection = await rig.connect();
    const stale = declaration("stale", "held");
    await connection.declarations.declare([stale]);
    const deliveries: Delivery[] = [];
    await connection.subscribe("stale", { readAhead: 20, declaration: stale.id }, (delivery) =>
      deliveries.push(delivery),
    );
    const events = numbers(10).map((number) => encoded("held", { number }));
    for (const event of events) await connection.publish([event]);
    await rig.until("ten are delivered", () => deliveries.length === 10);
    if (connection.capabilities.exclusive === "until-evicted") {
      await evictedWhileHandling(rig, connection, deliveries);
      return;
    }
    const before = deliveries.splice(0);
    await rig.faults.cut();
    if (connection.capabilities.exclusive === "while-leased") {
      rig.weaker.push("a lost connection ends no claim: what was handed out is settled when it is back, once");
      await Promise.all(before.map((delivery) => delivery.settle({ kind: "done", outputs: [encoded("held")] })));
      await Promise.all(before.map((delivery) => delivery.settle({ kind: "done", outputs: [encoded("held")] })));
      await rig.until("the ten outputs are delivered", () => deliveries.length >= 10);
      await pause(1_000);
      assert.equal(deliveries.length, 10, "a settlement was applied twice, or a claim was lost");
      return;
    }
    await rig.until("the ten are delivered again", () => deliveries.length === 10);
    // Applied to the new deliveries, these would settle them.
    await Promise.all(before.map((delivery) => delivery.settle({ kind: "done", outputs: [encoded("never")] })));
    await rig.faults.cut();
    await rig.until("none of the ten is gone", () => deliveries.length === 20);
    const bodies = deliveries.slice(10).map(({ event }) => Buffer.from(event.body).toString());
    assert.deepEqual(sorted(bodies), sorted(events.map(({ body }) => Buffer.from(body).toString())));
    assert(deliveries.every(({ attempt }) => attempt === 1));
    const last = deliveries.slice(10);
    await Promise.all(last.map((delivery) => delivery.settle({ kind: "done", outputs: [] })));
    await rig.until("all are gone now", async () => (await connection.inspect("stale")).ready === 0);
  }),

  rule("L3", "a consumer that the broker has cancelled consumes again", async (rig) => {
    const cancel = rig.offered(rig.description.faults.cancel);
    const calls = new Calls();
    const app = rig.app().onEvent("resumed", { useCase: "cancelled" }, calls.handler);
    await app.start();
    await app.newEvent("resumed", {});
    await rig.until("it consumes", () => calls.count === 1);
    await cancel(rig.namespace, "cancelled");
    await rig.until("it consumes again", async () => {
      await app.newEvent("resumed", {});
      await pause(100);
      return calls.count > 1;
    });
  }),

  rule("L4", "start() fails fast and clearly, and tells no secret", async (rig) => {
    for (const { problem, transport, code, names = "", secret } of rig.offered(rig.description.refused)) {
      const started = performance.now();
      const app = rig.app({ transport: transport() }).onEvent("a", { useCase: "refused" }, new Calls().handler);
      const error: unknown = await app.start().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      assert(isPapaError(error), `${problem}: ${String(error)}`);
      assert.equal(error.code, code, `${problem}: ${error.message}`);
      assert(performance.now() - started < 10_000, `${problem}: it took more than 10 s`);
      assert(error.message.includes(names), `${problem}: "${error.message}" does not name ${names}`);
      const told = [
        error.message,
        error.stack,
        JSON.stringify(error),
        JSON.stringify(rig.log.lines),
        String(error.cause),
      ];
      if (secret !== undefined) assert(!told.join("\n").includes(secret), `${problem}: the secret is told`);
    }
  }),

  rule("L5", "events from outside are handled like any other", async (rig) => {
    const outside = rig.offered(rig.description.outside);
    const contexts: { id: string; time: Date; attempt: number }[] = [];
    const calls = new Calls(({ attempt }, { id, time }) => {
      contexts.push({ id, time, attempt });
      if (attempt < 3) throw new Error("again");
    });
    const app = rig.app({ retries: 2 }).onEvent("foreign.*", { useCase: "outsiders" }, calls.handler);
    await app.start();
    const before = Date.now();
    await outside(rig.namespace, { name: "foreign.event", body: Buffer.from('{"from":"outside ☃"}') });
    await outside(rig.namespace, { name: "foreign.poison", body: Buffer.from("no json") });
    const letters = app.deadLetters("outsiders");
    await rig.until(
      "the good is handled, the poison dead",
      async () => calls.count === 3 && (await letters.count()) === 1,
    );
    assert.deepEqual(calls.attempts, [1, 2, 3]);
    assert.deepEqual(new Set(calls.names), new Set(["foreign.event"]));
    for (const { payload } of calls.list) assert.deepEqual(payload, { from: "outside ☃" });
    const later = new Set(contexts.slice(1).map(({ id, time }) => `${id} ${time.toISOString()}`));
    assert.equal(later.size, 1, "id and time change from attempt to attempt");
    assert(contexts.every(({ id, time }) => id !== "" && Math.abs(time.getTime() - before) < 30_000));
    const [letter] = (await letters.list()).items;
    assert.deepEqual(
      [letter?.eventName, letter?.reason, Buffer.from(letter?.body ?? []).toString()],
      ["foreign.poison", "invalid-payload", "no json"],
    );
  }),
];

/**
 * Where a lost connection takes nothing away: not even an instance that is evicted is handed again what it still handles,
 * and its settlements count once it is back.
 */
async function evictedWhileHandling(rig: Rig, connection: Connection, deliveries: readonly Delivery[]): Promise<void> {
  const before = deliveries.slice();
  const evict = rig.offered(rig.description.faults.cancel);
  for (const [round, lose] of [rig.faults.cut, () => evict(rig.namespace, "stale")].entries()) {
    await lose();
    await rig.until(
      "it is published",
      async () => (await connection.publish([encoded("held", { round })])).length === 0,
    );
    await rig.until("it consumes again", () => deliveries.length > before.length + round);
  }
  assert.equal(deliveries.length, 12, "an event was handed out again while it was handled");
  await Promise.all(deliveries.map((delivery) => delivery.settle({ kind: "done", outputs: [] })));
  await rig.until("all are gone", async () => (await connection.inspect("stale")).ready === 0);
  rig.weaker.push("a lost connection takes nothing away, an evicted instance goes on with what it handles");
}

/** What a broker that is killed and started again must keep; these run by themselves, since they break it for all. */
export const restarts: readonly RuleTest[] = [
  ruleAlone("L3", "a broker that is killed and restarted loses nothing, and apps go on by themselves", async (rig) => {
    const restart = rig.offered(rig.description.faults.restart);
    const held = new Held();
    const flow = new Calls(({ name, attempt }) => {
      if (name === "flow.retried" && attempt === 1) throw new Error("once");
      if (name === "flow.dead") throw new Error("always");
    });
    const app = rig.app({ retries: 1, retryDelay: 5_000 });
    app.onEvent("flow.*", { useCase: "flow" }, flow.handler).onEvent("held", { useCase: "held" }, held.handler);
    await app.start();
    const ids = await publishMany(app, "flow.retried", 20);
    await app.newEvent("held", {});
    await app.newEvent("flow.dead", {});
    await rig.until("all wait for their retry", async () => (await app.stats()).flow?.waiting === 21);
    await rig.until("the held one is being handled", () => held.count === 1);
    await restart();
    const more = await publishMany(app, "flow.later", 20);
    await rig.until("all are handled", () =>
      [...ids, ...more].every((id) =>
        flow.list.some((call) => call.id === id && (call.name === "flow.later" || call.attempt === 2)),
      ),
    );
    const { capabilities } = await rig.connect();
    // Elsewhere the instance still has it.
    if (capabilities.exclusive === "while-connected")
      await rig.until("the held one is handed out again", () => held.count >= 2);
    held.letGo();
    await rig.until("the dead one is dead", async () => (await app.deadLetters("flow").count()) === 1);
    assert.deepEqual(new Set(held.attempts), new Set([1]));
    await restart();
    await rig.until("the dead letter is still there", async () => {
      try {
        return (await app.deadLetters("flow").count()) === 1;
      } catch {
        // The connection may not be back yet.
        return false;
      }
    });
  }),
];
