import assert from "node:assert/strict";
import { Calls } from "../rig/calls.ts";
import { type RuleTest, rule } from "../rule.ts";

/** L5: events that other programs publish. */
export const outsiders: readonly RuleTest[] = [
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
