import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { currentEvent } from "@papa-events/core";
import { Calls } from "../rig/calls.ts";
import { type RuleTest, rule } from "../rule.ts";
import { numbers } from "./events.ts";

const TRACES = numbers(3).map((number) => `00-0af7651916cd43dd8448eb211c8031${number}c-b7ad6b7169203331-01`);

/** H10: what reaches a handler of the work that it was started from. */
export const contexts: readonly RuleTest[] = [
  rule("H10", "a handler sees no asynchronous context but its own event's, at any attempt", async (rig) => {
    const requests = new AsyncLocalStorage<string>();
    const seen = new Set<string | undefined>();
    const wrong: string[] = [];
    const look = (id: string) => {
      seen.add(requests.getStore());
      if (currentEvent()?.id !== id) wrong.push(`${id} runs in the context of ${currentEvent()?.id}`);
    };
    const calls = new Calls(async ({ id, attempt }) => {
      look(id);
      await requests.run(`handler of ${id}`, async () => {
        await new Promise(setImmediate);
        if (attempt === 1) throw new Error("once");
      });
    });
    const app = rig.app({ onRetry: ({ id }) => look(id) });
    app.onEvent("asked", { useCase: "isolated" }, calls.handler);
    await requests.run("start", () => app.start());
    for (const number of numbers(20)) await requests.run(`request ${number}`, () => app.newEvent("asked", { number }));
    await rig.until("all are handled", () => calls.list.filter(({ attempt }) => attempt === 2).length === 20);
    await requests.run("fault", () => rig.faults.cut());
    await requests.run("another request", () => app.newEvent("asked", {}));
    await rig.until("it goes on after a lost connection", () => calls.distinct === 21);
    assert.deepEqual([...seen], [undefined]);
    assert.deepEqual(wrong, []);
  }),

  rule("H10", "what a handler publishes goes on with its own event's trace", async (rig) => {
    const answers = new Calls();
    const app = rig.app();
    const calls = new Calls(async (_, { headers }) => {
      // In between, so that a context kept in one place would be another event's by now.
      await new Promise((resolve) => setTimeout(resolve, 5));
      await app.newEvent("answered", { trace: headers.traceparent });
    });
    app.onEvent("asked", { useCase: "asking" }, calls.handler);
    app.onEvent("answered", { useCase: "answers" }, answers.handler);
    await app.start();
    for (const traceparent of TRACES) await app.newEvent("asked", {}, { headers: { traceparent } });
    await app.newEvent("asked", {});
    await rig.until("all are answered", () => answers.count >= TRACES.length + 1);
    for (const { payload, headers } of answers.list)
      assert.equal(headers.traceparent, (payload as { trace?: string }).trace);
    assert.deepEqual(answers.list.flatMap(({ headers }) => headers.traceparent ?? []).sort(), TRACES);
  }),
];
