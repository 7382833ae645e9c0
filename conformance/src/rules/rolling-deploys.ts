import assert from "node:assert/strict";
import type { Connection, Delivery } from "@papa-events/core/transport";
import { Calls } from "../rig/calls.ts";
import { declaration } from "../rig/declaring.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, rule } from "../rule.ts";
import { encoded, publishMany, sorted } from "./events.ts";

/** Instances have to refresh within half of it, also on a busy machine. */
const GRACE_MS = 3_000;

/** R6: instances of one use case that want different events. */
export const rollingDeploys: readonly RuleTest[] = [
  rule(
    "R6",
    "what only a newer instance accepts is forwarded by an older one, attempt and id unchanged",
    async (rig) => {
      const older = new Calls();
      const old = rig.app().onEvent("first", { useCase: "deployed" }, older.handler);
      const declaring = rig.app().onEvent(["first", "second"], { useCase: "deployed" }, new Calls().handler);
      await declaring.start();
      await declaring.stop();
      // From here only the old instance lives, and "second" is declared all the same.
      await old.start();
      const ids = await publishMany(old, "second", 5);
      await rig.until("the old instance has taken some in and not kept them", async () => {
        const { deployed } = await old.stats();
        return deployed !== undefined && deployed.waiting > 0;
      });
      const newer = new Calls();
      const next = rig.app().onEvent(["first", "second"], { useCase: "deployed" }, newer.handler);
      await next.start();
      await old.stop();
      await rig.until("the new instance has them all", () => newer.distinct === 5);
      assert.deepEqual(sorted(newer.ids), sorted(ids));
      assert.deepEqual(new Set(newer.attempts), new Set([1]));
      assert.equal(older.count, 0);
    },
  ),

  rule("R6", "in a rolling deploy nothing is lost that an older or a newer instance accepts", async (rig) => {
    const older = new Calls();
    const newer = new Calls();
    const old = rig.app().onEvent(["both", "going"], { useCase: "rolled" }, older.handler);
    await old.start();
    const next = rig.app().onEvent(["both", "coming"], { useCase: "rolled" }, newer.handler);
    await next.start();
    const publisher = await rig.publisher();
    const going = await publishMany(publisher, "going", 4);
    await rig.until(
      "the old instance has what only it accepts",
      () => older.names.filter((n) => n === "going").length >= 4,
    );
    const both = await publishMany(publisher, "both", 20);
    const coming = await publishMany(publisher, "coming", 6);
    await rig.until("what both accept is handled", () => {
      const handled = [...older.list, ...newer.list].filter(({ name }) => name === "both");
      return new Set(handled.map(({ id }) => id)).size === both.length;
    });
    await old.stop();
    await rig.until(
      "the new instance has what only it accepts",
      () => newer.names.filter((n) => n === "coming").length >= 6,
    );
    const idsOf = (name: string, calls: Calls) => calls.list.filter((call) => call.name === name).map(({ id }) => id);
    assert.deepEqual(sorted(idsOf("going", older)), sorted(going));
    assert.deepEqual(sorted(idsOf("coming", newer)), sorted(coming));
    assert.equal(idsOf("coming", older).length + idsOf("going", newer).length, 0);
  }),

  rule("R6", "a dropped pattern calls no handler, and is unbound after the grace", async (rig) => {
    const before = rig.app({ declarationGrace: GRACE_MS });
    before.onEvent(["kept", "dropped"], { useCase: "shrunk" }, new Calls().handler);
    await before.start();
    await before.stop();
    // While that instance may still live, its events go round quickly, and wait the longer afterwards.
    await pause(GRACE_MS / 2);
    const calls = new Calls();
    const after = rig.app({ declarationGrace: GRACE_MS }).onEvent("kept", { useCase: "shrunk" }, calls.handler);
    await after.start();
    await publishMany(after, "dropped", 3);
    await publishMany(after, "kept", 1);
    const connection = await rig.connect();
    const patterns = () => patternsOf(connection, "shrunk");
    await rig.until("the pattern is unbound", async () => !(await patterns()).includes("dropped"));
    await publishMany(after, "dropped", 3);
    await publishMany(after, "kept", 1);
    await rig.until("the last one kept is handled", () => calls.count >= 2);
    await rig.untilEmpty(after);
    assert.deepEqual(calls.names, ["kept", "kept"]);
    assert.deepEqual(await patterns(), ["kept"]);
    assert.equal(await after.deadLetters("shrunk").count(), 0);
    if (!connection.capabilities.declarationsComplete)
      rig.weaker.push("unknown declarations are waited for, for the grace");
  }),

  rule(
    "R6",
    "an older instance that declares again takes nothing away, and every instance's patterns are known",
    async (rig) => {
      const old = await rig.connect();
      const next = await rig.connect();
      await old.declarations.declare([declaration("shared", "a")]);
      await next.declarations.declare([declaration("shared", "a", "b.#")]);
      await old.declarations.declare([declaration("shared", "a")]);
      assert.deepEqual(await patternsOf(old, "shared"), ["a", "b.#"]);
      for (const { idle } of await old.declarations.list("shared"))
        assert(idle >= -1_000 && idle < 20_000, `last seen ${idle} ms ago`);
      const calls = new Calls();
      const app = rig.app().onEvent(["a", "b.#"], { useCase: "shared" }, calls.handler);
      await app.start();
      await app.newEvent("b.c", {});
      await rig.until("it is still bound", () => calls.count === 1);
    },
  ),

  rule(
    "R6",
    "a pattern that was declared lately is not withdrawn; one that was not is no longer routed",
    async (rig) => {
      const connection = await rig.connect();
      const withdrawn = declaration("withdrawn", "a", "b", "end");
      await connection.declarations.declare([withdrawn]);
      await connection.declarations.withdraw("withdrawn", ["a", "b"], 60_000);
      assert.deepEqual(await patternsOf(connection, "withdrawn"), ["a", "b", "end"]);
      await connection.declarations.withdraw("withdrawn", ["b"], 0);
      assert.deepEqual(await patternsOf(connection, "withdrawn"), ["a", "end"]);
      assert.deepEqual(await connection.publish([encoded("a"), encoded("b"), encoded("end")]), []);
      const names: (string | undefined)[] = [];
      const take = (delivery: Delivery) => {
        names.push(delivery.event.name ?? String(delivery.event.headers.ce_type));
        void delivery.settle({ kind: "done", outputs: [] });
      };
      await connection.subscribe("withdrawn", { readAhead: 10, declaration: withdrawn.id }, take);
      // A broker need not keep the order between different names.
      await rig.until("the others are delivered", () => names.includes("end") && names.includes("a"));
      if (connection.capabilities.declarationsComplete || !names.includes("b"))
        assert.deepEqual(names.toSorted(), ["a", "end"]);
      else rig.weaker.push("a withdrawn pattern is still delivered, for the core to drop");
    },
  ),
];

/** All patterns that are declared for a use case, by anyone. */
async function patternsOf(connection: Connection, useCase: string): Promise<string[]> {
  const records = await connection.declarations.list(useCase);
  return sorted([...new Set(records.flatMap(({ patterns }) => patterns))]);
}
