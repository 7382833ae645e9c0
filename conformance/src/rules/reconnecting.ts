import assert from "node:assert/strict";
import { isPapaError } from "@papa-events/core";
import type { Connection, ConnectionStatus, Delivery } from "@papa-events/core/transport";
import { Calls, Held } from "../rig/calls.ts";
import { declaration } from "../rig/declaring.ts";
import type { Rig } from "../rig/rig.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, rule, ruleAlone } from "../rule.ts";
import { encoded, numbers, publishMany, sorted } from "./events.ts";

/** L3: lost connections, restarted brokers, cancelled consumers. */
export const reconnecting: readonly RuleTest[] = [
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

  rule("L3", "the app is notified when the broker is away and when it is back", async (rig) => {
    const statuses: ConnectionStatus[] = [];
    const connection = await rig.connect({ onStatus: (status) => statuses.push(status) });
    await connection.declarations.declare([declaration("known", "a")]);
    assert.equal(statuses.length, 0);
    await rig.faults.disconnect();
    await rig.until("it is notified of the loss", () => statuses.at(-1)?.connected === false);
    const [answer] = await connection.publish([encoded("a")]);
    assert(answer !== undefined && answer.index === 0, "a publish was confirmed while the broker was away");
    assert(isPapaError(answer.error) && answer.error.retryable, String(answer.error));
    await rig.faults.reconnect();
    await rig.until("it is notified of the return", () => statuses.at(-1)?.connected === true);
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
