import assert from "node:assert/strict";
import type { DeadLetterReason } from "@papa-events/core";
import type { EncodedEvent } from "@papa-events/core/transport";
import { type Act, Calls } from "../rig/calls.ts";
import type { Rig } from "../rig/rig.ts";
import { type RuleTest, rule } from "../rule.ts";
import { encoded, numbers, sorted } from "./events.ts";

const NEIGHBOURS = 60;
/** How much longer the neighbours may take beside the fault: another order of magnitude, and what a busy machine takes. */
const SLOWER = 10;
const LEEWAY_MS = 3_000;

/** An event that something is wrong with. */
interface Fault {
  readonly event: EncodedEvent;
  /** What its handler does. */
  readonly act: Act;
  /** What it is given up for, if it is. */
  readonly reason?: DeadLetterReason;
}

const fails = () => {
  throw new Error("it always fails");
};

/** H8: a fault stays with its event. That of an event which kills its process is T6. */
export const neighbours: readonly RuleTest[] = [
  rule("H8", "an event whose outputs cannot be published harms no neighbour", (rig) =>
    harmsNobody(rig, {
      event: encoded("faulty", { n: 1 }),
      act: () => [
        { name: "fine.output", payload: {} },
        { name: "no name", payload: {} },
      ],
      reason: "invalid-output",
    }),
  ),

  rule("H8", "an event that does not fit as it is into its retry and its dead letter harms no neighbour", (rig) =>
    harmsNobody(rig, {
      event: encoded("faulty", { n: 1 }, { note: "n".repeat(47 * 1_024) }),
      act: () => {
        throw new Error("e".repeat(100_000));
      },
      reason: "retries-exhausted",
    }),
  ),

  rule("H8", "an event with two thousand headers harms no neighbour", (rig) =>
    harmsNobody(rig, {
      event: encoded("faulty", { n: 1 }, Object.fromEntries(numbers(2_000).map((n) => [`h-${n}`, `value ${n}`]))),
      act: fails,
      reason: "retries-exhausted",
    }),
  ),

  rule("H8", "an event from a hostile program harms no neighbour", (rig) =>
    harmsNobody(rig, {
      event: encoded("faulty", Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0x22]), {
        ce_time: "never",
        ce_source: "s".repeat(4_096),
        papa_attempt: "-1e999",
        papa_first_failed_at: "yesterday",
        papa_forwarded: "NaN",
        papa_redriven: "999999999999999999999",
        "content-type": "text/\u0000nothing",
        constructor: "none",
      }),
      act: fails,
      reason: "invalid-payload",
    }),
  ),

  rule("H8", "an event whose handler throws what cannot be read harms no neighbour", (rig) =>
    harmsNobody(rig, {
      event: encoded("faulty", { n: 1 }),
      act: () => {
        throw hostileError();
      },
      reason: "retries-exhausted",
    }),
  ),

  rule("H8", "an event whose handler never ends harms no neighbour", (rig) =>
    harmsNobody(rig, { event: encoded("faulty", { n: 1 }), act: () => new Promise(() => {}) }),
  ),
];

/**
 * Handles a flow, and then the same one with a faulty event in the middle of it, and compares: the neighbours are handled
 * once each, at the first attempt, about as quickly, and another use case sees no difference.
 */
async function harmsNobody(rig: Rig, { event, act, reason }: Fault): Promise<void> {
  const calls = new Calls((call, context) => (call.name === "faulty" ? act(call, context) : undefined));
  const other = new Calls();
  const app = rig.app({ retries: 1, retryDelay: 50, drainTimeout: 100, unwanted: "accept" });
  app
    .onEvent(["fine", "faulty"], { useCase: "beside" }, calls.handler)
    .onEvent("fine", { useCase: "other" }, other.handler);
  await app.start();
  const fine = () => new Set(calls.list.filter(({ name }) => name === "fine").map(({ id }) => id));
  const flow = async (faulty: readonly EncodedEvent[]): Promise<number> => {
    const events = numbers(NEIGHBOURS).map((number) => encoded("fine", { number }));
    const before = fine().size;
    const started = performance.now();
    await publishTogether(rig, [...events.slice(0, NEIGHBOURS / 2), ...faulty, ...events.slice(NEIGHBOURS / 2)]);
    await rig.until("the neighbours are handled", () => fine().size === before + NEIGHBOURS);
    await rig.until("the other use case has them too", () => other.distinct === before + NEIGHBOURS);
    return performance.now() - started;
  };
  const alone = await flow([]);
  const beside = await flow([event]);
  const bound = alone * SLOWER + LEEWAY_MS;
  assert(beside <= bound, `beside it they took ${Math.round(beside)} ms, and ${Math.round(alone)} ms without it`);
  const letters = app.deadLetters("beside");
  if (reason === undefined) {
    await rig.until("only the faulty one is left", async () => {
      const { ready, inFlight, waiting } = (await app.stats()).beside ?? { ready: 0, inFlight: 0, waiting: 0 };
      return ready + waiting === 0 && inFlight === 1;
    });
  } else {
    await rig.until("the faulty one is a dead letter", async () => (await letters.count()) === 1);
    await rig.untilEmpty(app);
  }
  const { items } = await letters.list();
  assert.deepEqual(
    items.map((each) => [each.eventName, each.reason]),
    reason === undefined ? [] : [["faulty", reason]],
  );
  for (const each of [calls.list.filter(({ name }) => name === "fine"), other.list]) {
    assert.equal(each.length, 2 * NEIGHBOURS, "a neighbour was handled twice");
    assert.deepEqual(new Set(each.map(({ attempt }) => attempt)), new Set([1]));
  }
  assert.deepEqual(sorted(other.ids), sorted([...fine()]));
  assert.equal(await app.deadLetters("other").count(), 0);
}

/** In as few calls as the transport takes. */
async function publishTogether(rig: Rig, events: readonly EncodedEvent[]): Promise<void> {
  const connection = await rig.connect();
  const { eventsPerCall } = connection.capabilities.publishing;
  for (let from = 0; from < events.length; from += eventsPerCall)
    assert.deepEqual(await connection.publish(events.slice(from, from + eventsPerCall)), []);
}

/** Everything about it throws. */
function hostileError(): unknown {
  const refuse = () => {
    throw new Error("no");
  };
  return new Proxy(new Error("never read"), { get: refuse, getPrototypeOf: refuse, has: refuse, ownKeys: refuse });
}
