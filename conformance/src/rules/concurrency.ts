import assert from "node:assert/strict";
import type { Delivery } from "@papa-events/core/transport";
import { Calls, taking } from "../rig/calls.ts";
import { declaration } from "../rig/declaring.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, rule } from "../rule.ts";
import { encoded, numbers, publishMany } from "./events.ts";

/** H2 and H3: how many handlers run at once, and for how long. */
export const concurrency: readonly RuleTest[] = [
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
];
