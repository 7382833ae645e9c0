import assert from "node:assert/strict";
import { isPapaError, type PapaErrorCode } from "@papa-events/core";
import { Calls } from "../rig/calls.ts";
import { declaration } from "../rig/declaring.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, rule } from "../rule.ts";
import { encoded, numbers, publishMany, sorted } from "./events.ts";
import { spied } from "./spied.ts";

const MAX = 1_048_576;

/** P1 to P5. */
export const publishing: readonly RuleTest[] = [
  rule("P1", "what newEvent() has resolved for is stored, also if the publisher dies at once", async (rig) => {
    const owner = rig.app().onEvent("stored", { useCase: "storing" }, new Calls().handler);
    await owner.start();
    await owner.stop();
    const publisher = await rig.publisher();
    const ids = await publishMany(publisher, "stored", 20);
    await rig.faults.crash();
    const calls = new Calls();
    const app = rig.app().onEvent("stored", { useCase: "storing" }, calls.handler);
    await app.start();
    await rig.until("all that was confirmed is handled", () => calls.distinct === ids.length);
    assert.deepEqual(sorted([...new Set(calls.ids)]), sorted(ids));
  }),

  rule("P1", "what was confirmed to a publisher survives its kill -9", async (rig) => {
    const calls = new Calls();
    const app = rig.app().onEvent("made", { useCase: "survivor" }, calls.handler);
    await app.start();
    const program = rig.program("publish", { events: 200 });
    await program.dead();
    await rig.until("its last words are read", () => program.said.length === 200);
    await rig.until("all that was confirmed is handled", () => program.said.every((id) => calls.ids.includes(id)));
  }),

  rule(
    "P1",
    "newEvent() rejects, typed and retryable, when the broker does not take the event in time",
    async (rig) => {
      const publisher = await rig.publisher({ publishTimeout: 300 });
      await rig.faults.disconnect();
      const started = performance.now();
      await assert.rejects(publisher.newEvent("lost", {}), (error) => {
        assert(isPapaError(error, "publish-timeout"), String(error));
        assert(error.retryable);
        return true;
      });
      const took = performance.now() - started;
      assert(took >= 295 && took < 5_000, `it took ${took} ms`);
      await rig.faults.reconnect();
    },
  ),

  rule("P2", "a publish waits while the connection is down, and is sent after the reconnect", async (rig) => {
    const calls = new Calls();
    const app = rig.app().onEvent("patient", { useCase: "waiting" }, calls.handler);
    await app.start();
    const publisher = await rig.publisher();
    await rig.faults.disconnect();
    await rig.until("the publisher knows", () => !publisher.health().connected);
    let resolved = false;
    const publishing = publisher.newEvent("patient", { n: 1 }, { id: "the-same-id" }).then((published) => {
      resolved = true;
      return published;
    });
    await pause(200);
    assert.equal(resolved, false, "it has resolved while the broker was away");
    await rig.faults.reconnect();
    assert.equal((await publishing).id, "the-same-id");
    await rig.until("it is handled", () => calls.count >= 1);
    assert.deepEqual(new Set(calls.ids), new Set(["the-same-id"]));
  }),

  rule("P2", "publishes in flight when the connection drops are sent again with the same ids", async (rig) => {
    const calls = new Calls();
    const app = rig.app({ concurrency: 50 }).onEvent("flow.*", { useCase: "flowing" }, calls.handler);
    await app.start();
    const publisher = await rig.publisher();
    const ids: string[] = [];
    for (const round of numbers(8)) {
      const publishing = publishMany(publisher, `flow.${round}`, 50);
      // At another stage of the way each time.
      await pause(round % 4);
      await rig.faults.cut();
      ids.push(...(await publishing));
    }
    await rig.until("all are handled", () => calls.distinct >= ids.length);
    assert.deepEqual(sorted([...new Set(calls.ids)]), sorted(ids));
  }),

  rule("P3", "in-flight publishes are bounded by what the transport says", async (rig) => {
    const spy = spied(rig.transport());
    const publisher = await rig.publisher({ transport: spy.transport });
    await Promise.all(numbers(3_000).map((number) => publisher.newEvent("bounded", { number })));
    const { eventsPerCall, callsInFlight } = spy.limits();
    assert(spy.mostEvents <= eventsPerCall, `${spy.mostEvents} events in a call`);
    assert(spy.mostCalls <= callsInFlight, `${spy.mostCalls} calls in flight`);
  }),

  rule("P3", "the transport takes as much at once as it says", async (rig) => {
    const connection = await rig.connect();
    await connection.declarations.declare([declaration("counted", "full")]);
    const { eventsPerCall, callsInFlight } = connection.capabilities.publishing;
    const calls = Math.min(callsInFlight, 2_000);
    const perCall = Math.min(eventsPerCall, Math.ceil(5_000 / calls));
    const answers = await Promise.all(
      numbers(calls).map(() => connection.publish(numbers(perCall).map(() => encoded("full")))),
    );
    assert.deepEqual(answers.flat(), []);
    await rig.until(
      "all of them are in the queue",
      async () => (await connection.inspect("counted")).ready === calls * perCall,
    );
  }),

  rule("P4", "what JSON cannot carry is a typed error at the call, and nothing is sent", async (rig) => {
    const calls = new Calls();
    const app = rig.app().onEvent("#", { useCase: "strict" }, calls.handler);
    await app.start();
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const wrong: readonly unknown[] = [cycle, 1n, { deep: [1n] }, () => {}, undefined, Symbol("none")];
    for (const payload of wrong) await assert.rejects(app.newEvent("wrong", payload), code("payload-not-json"));
    await assert.rejects(app.newEvent("wrong", "x".repeat(MAX - 1)), code("payload-too-large"));
    await assert.rejects(
      app.newEvents([
        { name: "wrong", payload: 1 },
        { name: "wrong", payload: 1n },
      ]),
      code("payload-not-json"),
    );
    await app.newEvent("right", null);
    await rig.until("the right one is handled", () => calls.count >= 1);
    assert.deepEqual(calls.names, ["right"]);
  }),

  rule("P4", "a payload of exactly the limit passes, through retry, dead letter and redrive too", async (rig) => {
    const text = "x".repeat(MAX - 2);
    let fail = true;
    const calls = new Calls(() => {
      if (fail) throw new Error("not yet");
    });
    const app = rig.app({ retries: 1 }).onEvent("large", { useCase: "large" }, calls.handler);
    await app.start();
    const { id } = await app.newEvent("large", text, { headers: { note: "n".repeat(8_000) } });
    const letters = app.deadLetters("large");
    await rig.until("it is a dead letter", async () => (await letters.count()) === 1);
    assert.equal((await letters.list()).items[0]?.body.length, MAX);
    fail = false;
    assert.equal(await letters.redrive("all"), 1);
    await rig.until("it is handled", () => calls.count === 3);
    assert.deepEqual(calls.ids, [id, id, id]);
    assert(calls.list.every(({ payload, headers }) => payload === text && headers.note?.length === 8_000));
  }),

  rule("P4", "payloads and headers of any script arrive as they were", async (rig) => {
    const payload = {
      text: "ñandú 日本語 עברית 🎉 \u0000 \u2028 \ud83d",
      "clé ☃": [null, true, -0.5, 1e300, ""],
      deep: { a: { b: { c: [] } } },
    };
    const calls = new Calls(({ attempt }) => {
      if (attempt === 1) throw new Error("ошибка 💥");
    });
    const app = rig.app().onEvent("unicode", { useCase: "unicode" }, calls.handler);
    await app.start();
    const headers = {
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      grüße: "¡hola! 日本 🎉",
      empty: "",
    };
    await app.newEvent("unicode", payload, { headers });
    await rig.until("it is handled twice", () => calls.count === 2);
    const expected: unknown = JSON.parse(JSON.stringify(payload));
    for (const call of calls.list) {
      assert.deepEqual(call.payload, expected);
      assert.deepEqual({ ...call.headers }, headers);
    }
  }),

  rule("P5", "the event name is validated at the call", async (rig) => {
    const app = await rig.publisher();
    const wrong = [
      "",
      ".",
      "a..b",
      "a.",
      ".a",
      "a b",
      "a.*",
      "#",
      "ñ",
      "a,b",
      "x".repeat(201),
      "a.b.c.d.e.f.g.h.i.j.k",
    ];
    for (const name of wrong) await assert.rejects(app.newEvent(name, {}), code("invalid-event-name"), name);
  }),
];

/** Tells an error by its code. */
export function code(expected: PapaErrorCode): (error: unknown) => boolean {
  return (error) => {
    assert(isPapaError(error, expected), `expected ${expected}, got ${String(error)}`);
    return true;
  };
}
