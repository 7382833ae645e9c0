import assert from "node:assert/strict";
import { Calls, failing } from "../rig/calls.ts";
import { wrapped } from "../rig/wrapped.ts";
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

  rule("L5", "headers from outside come back from retry, dead letter and redrive as they were", async (rig) => {
    const outside = rig.offered(rig.description.outside);
    const headers = rig.offered(
      rig.description.outsideHeaders ?? "the description does not say how an outsider sets headers that are not text",
    );
    const delivered: Readonly<Record<string, unknown>>[] = [];
    const transport = wrapped(rig.transport(), (connection) => ({
      subscribe: (useCase, options, onDelivery) =>
        connection.subscribe(useCase, options, (delivery) => {
          delivered.push(delivery.event.headers);
          onDelivery(delivery);
        }),
    }));
    const calls = failing();
    const app = rig.app({ transport, retries: 1 }).onEvent("foreign.*", { useCase: "outsiders" }, calls.handler);
    await app.start();
    await outside(rig.namespace, { name: "foreign.event", body: Buffer.from("{}"), headers });
    const store = (await rig.connect()).deadLetters("outsiders");
    await rig.until("it is a dead letter", async () => (await store.count()) === 1);
    const letters = app.deadLetters("outsiders");
    const [letter] = (await store.list({ limit: 1, order: "oldest" })).items;
    assert.equal(await letters.redrive("all"), 1);
    await rig.until("it is a dead letter again", async () => calls.count === 4 && (await store.count()) === 1);
    const stages = ["published", "retried", "redriven", "retried after that"];
    for (const [index, stage] of stages.entries()) assertSame(delivered[index], headers, stage);
    assertSame(letter?.event.headers, headers, "dead");
    for (const call of calls.list)
      for (const value of Object.values(call.headers)) assert.equal(typeof value, "string");
  }),
];

function assertSame(found: Readonly<Record<string, unknown>> = {}, expected: object, stage: string): void {
  for (const [name, value] of Object.entries(expected))
    assert.deepEqual(found[name], value, `the header ${name}, when the event was ${stage}`);
}
