import assert from "node:assert/strict";
import { Calls } from "../rig/calls.ts";
import { type RuleTest, rule } from "../rule.ts";
import { sorted } from "./events.ts";

const cycle: Record<string, unknown> = {};
cycle.self = cycle;

const VALID = { name: "fine", payload: {} };

/** What a handler may return by mistake. */
const WRONG: Readonly<Record<string, unknown>> = {
  "a wildcard in the name": [VALID, { name: "fine.*", payload: {} }],
  "an empty name": [VALID, { name: "", payload: {} }],
  "no payload": [VALID, { name: "fine" }],
  "not JSON": [VALID, { name: "fine", payload: cycle }],
  "too large": [VALID, { name: "fine", payload: "x".repeat(1_048_576) }],
  "not an event": [VALID, "done"],
  "a header that is not a string": [VALID, { name: "fine", payload: {}, headers: { n: 1 } }],
};

/** H4: the events a handler returns. */
export const outputs: readonly RuleTest[] = [
  rule(
    "H4",
    "one invalid event among those returned: none is published, the incoming one is a dead letter",
    async (rig) => {
      const published = new Calls();
      const problems = Object.keys(WRONG);
      const app = rig.app().onEvent("fine", { useCase: "published" }, published.handler);
      const calls = new Calls(({ payload }) => WRONG[String(payload)]);
      app.onEvent("asked", { useCase: "wrong" }, calls.handler);
      await app.start();
      for (const problem of problems) await app.newEvent("asked", problem);
      const letters = app.deadLetters("wrong");
      await rig.until("all are dead letters", async () => (await letters.count()) === problems.length);
      await rig.untilEmpty(app);
      const { items } = await letters.list();
      assert.deepEqual(sorted(items.map(({ payload }) => String(payload))), sorted(problems));
      assert.deepEqual(new Set(items.map(({ reason }) => reason)), new Set(["invalid-output"]));
      assert.equal(calls.count, problems.length);
      assert.equal(published.count, 0);
    },
  ),

  rule("H4", "valid events, one or many, are published with their headers and their cause's trace", async (rig) => {
    const published = new Calls();
    const calls = new Calls(({ payload }) =>
      payload === "one"
        ? { name: "out.one", payload: { n: 1 } }
        : [
            { name: "out.many", payload: 1, headers: { part: "1" } },
            { name: "out.many", payload: null, headers: { part: "2" } },
          ],
    );
    const app = rig.app().onEvent("in", { useCase: "answering" }, calls.handler);
    app.onEvent("out.*", { useCase: "answers" }, published.handler);
    await app.start();
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await app.newEvent("in", "one", { headers: { traceparent } });
    await app.newEvent("in", "many");
    await rig.until("all are handled", () => published.count >= 3);
    await rig.untilEmpty(app);
    assert.deepEqual(sorted(published.names), ["out.many", "out.many", "out.one"]);
    assert.equal(new Set(published.ids).size, 3);
    const one = published.list.find(({ name }) => name === "out.one");
    assert.equal(one?.headers.traceparent, traceparent);
    assert.deepEqual(sorted(published.list.flatMap(({ headers }) => headers.part ?? [])), ["1", "2"]);
  }),
];
