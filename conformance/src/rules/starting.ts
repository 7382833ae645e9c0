import assert from "node:assert/strict";
import { isPapaError } from "@papa-events/core";
import { Calls } from "../rig/calls.ts";
import { type RuleTest, rule } from "../rule.ts";
import { publishMany } from "./events.ts";

/** L1: how an app starts. */
export const starting: readonly RuleTest[] = [
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
];
