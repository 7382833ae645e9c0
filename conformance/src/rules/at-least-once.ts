import assert from "node:assert/strict";
import type { Delivery, Subscription } from "@papa-events/core/transport";
import { Calls, Held } from "../rig/calls.ts";
import { declaration } from "../rig/declaring.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, rule } from "../rule.ts";
import { encoded, numbers, publishMany, sorted } from "./events.ts";

/** H1: an event is gone only when what became of it is stored. */
export const atLeastOnce: readonly RuleTest[] = [
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

  rule("H1", "an event is not gone before its settlement is stored, however its consumers end", async (rig) => {
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

  rule("H1", "each event is handed out once, though `readAhead` changes within each hand-out", async (rig) => {
    const connection = await rig.connect();
    const resized = declaration("resized", "resizing");
    await connection.declarations.declare([resized]);
    const handedOut: string[] = [];
    const open: Delivery[] = [];
    let subscription: Subscription | undefined;
    subscription = await connection.subscribe("resized", { readAhead: 20, declaration: resized.id }, (delivery) => {
      open.push(delivery);
      handedOut.push(Buffer.from(delivery.event.body).toString());
      // One time there is less room than was read already, the next there is room for what was left over.
      subscription?.readAhead(handedOut.length % 3 === 0 ? 1 : open.length + 2);
    });
    await connection.publish(numbers(100).map((number) => encoded("resizing", { number })));
    await rig.until("all are handed out and settled", async () => {
      await Promise.all(open.splice(0).map((delivery) => delivery.settle({ kind: "done", outputs: [] })));
      subscription.readAhead(20);
      const { ready, inFlight } = await connection.inspect("resized");
      return ready + inFlight === 0 && new Set(handedOut).size === 100;
    });
    assert.equal(handedOut.length, 100);
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
];
