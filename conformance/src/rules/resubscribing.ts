import assert from "node:assert/strict";
import type { Connection, Delivery } from "@papa-events/core/transport";
import { declaration } from "../rig/declaring.ts";
import type { Rig } from "../rig/rig.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, rule } from "../rule.ts";
import { numberOf } from "./burying.ts";
import { encoded, numbers } from "./events.ts";

const USE_CASE = declaration("again", "a");
/** Long enough for what should not come. */
const WATCHED_MS = 300;

/** L2 and L3: a use case that is subscribed again on the same connection, as after a pause. */
export const resubscribing: readonly RuleTest[] = [
  rule("L2", "a stopped subscription takes nothing more, and can be made again, many times", async (rig) => {
    const connection = await rig.connect();
    await connection.declarations.declare([USE_CASE]);
    const handled: number[] = [];
    for (const round of numbers(5)) {
      const deliveries: Delivery[] = [];
      const subscription = await subscribe(connection, deliveries, (delivery) => {
        handled.push(numberOf(delivery.event));
        void delivery.settle({ kind: "done", outputs: [] });
      });
      await publish(connection, round * 10, round * 10 + 5);
      await rig.until(`what was published by round ${round} is handled`, () => handled.length === round * 10 + 5);
      await subscription.stop();
      await publish(connection, round * 10 + 5, round * 10 + 10);
      if (round > 2) await pause(WATCHED_MS);
      assert.equal(handled.length, round * 10 + 5, "a stopped subscription went on");
    }
    assert.equal((await connection.inspect("again")).ready, 5);
    const last = await subscribe(connection, [], (delivery) => {
      handled.push(numberOf(delivery.event));
      void delivery.settle({ kind: "done", outputs: [] });
    });
    await rig.until("the rest is handled", () => handled.length === 50);
    await last.stop();
    assert.deepEqual(
      handled.sort((a, b) => a - b),
      numbers(50),
    );
  }),

  rule("L2", "what a stopped subscription has not settled stays its own beside the next one", async (rig) => {
    const connection = await rig.connect();
    await connection.declarations.declare([USE_CASE]);
    const before: Delivery[] = [];
    const subscription = await subscribe(connection, before, () => {}, 5);
    await publish(connection, 0, 10);
    await rig.until("five are delivered", () => before.length === 5);
    await subscription.stop();
    const after: Delivery[] = [];
    const next = await subscribe(connection, after);
    await rig.until("the next one has the others", () => after.length === 5);
    await pause(WATCHED_MS);
    assert.equal(before.length, 5, "the stopped one went on");
    assert.equal(after.length, 5, "something was handed out twice");
    const [done, released, retried, , dead] = before;
    assert(done !== undefined && released !== undefined && retried !== undefined && dead !== undefined);
    assert(before.every(({ lost }) => !lost));
    assert.equal(await done.settle({ kind: "done", outputs: [] }), "stored");
    assert.equal(await released.settle({ kind: "release" }), "stored");
    const event = encoded("a", { number: 100 }, { papa_attempt: "2" });
    assert.equal(await retried.settle({ kind: "retry", delay: 50, event }), "stored");
    const letter = encoded("a", { number: 101 }, { papa_reason: "rejected" });
    assert.equal(await dead.settle({ kind: "dead", id: "letter", event: letter }), "stored");
    await rig.until("what was released and retried comes to the next one", () => after.length === 7);
    const come = after.slice(5).map(({ event: { body }, attempt }) => [numberOf({ body }), attempt]);
    assert.deepEqual(
      come.sort(([a = 0], [b = 0]) => a - b),
      [
        [numberOf(released.event), 1],
        [100, 2],
      ],
    );
    for (const delivery of [...after, ...before.slice(3, 4)])
      assert.equal(await delivery.settle({ kind: "done", outputs: [] }), "stored");
    await isEmpty(rig, connection);
    assert.equal(await connection.deadLetters("again").count(), 1);
    await next.stop();
  }),

  rule(
    "L2",
    "what a stopped subscription leaves is taken by another instance, and by itself again later",
    async (rig) => {
      const [stopped, other] = [await rig.connect(), await rig.connect()];
      const first: Delivery[] = [];
      const second: Delivery[] = [];
      await stopped.declarations.declare([USE_CASE]);
      const settle = (delivery: Delivery) => void delivery.settle({ kind: "done", outputs: [] });
      const one = await subscribe(stopped, first, settle);
      await subscribe(other, second, settle);
      const total = () => first.length + second.length;
      await publishOneByOne(stopped, 0, 20);
      await rig.until("both together have all", () => total() === 20);
      await one.stop();
      const before = first.length;
      await publishOneByOne(stopped, 20, 40);
      await rig.until(
        () => `the other one has what came later; they have ${total()} of 40`,
        () => total() === 40,
      );
      assert.equal(first.length, before, "a stopped subscription went on");
      await subscribe(stopped, first, settle);
      await rig.until("it takes its share again", async () => {
        await publishOneByOne(other, 40, 42);
        return first.length > before;
      });
    },
  ),

  rule(
    "L3",
    "a use case that is subscribed again after a lost connection gets all that is not handled",
    async (rig) => {
      const connection = await rig.connect();
      await connection.declarations.declare([USE_CASE]);
      const handled = new Set<number>();
      const settle = async (delivery: Delivery) => {
        if ((await delivery.settle({ kind: "done", outputs: [] })) === "stored") handled.add(numberOf(delivery.event));
      };
      for (const round of numbers(3)) {
        const before: Delivery[] = [];
        const subscription = await subscribe(connection, before, () => {}, 3);
        const published = round * 6;
        await publishAtLast(rig, connection, published, published + 6);
        await rig.until("three are delivered", () => before.length >= 3);
        // One that stops before the connection is lost, one that stops while it is away, one after it is back.
        if (round === 0) await subscription.stop();
        await rig.faults.cut();
        if (round === 1) await subscription.stop();
        await publishAtLast(rig, connection, -1, 0);
        if (round === 2) await subscription.stop();
        const next = await subscribe(connection, [], (delivery) => void settle(delivery));
        // What they had is theirs still, or comes to the next one: either way it counts once it is said to be stored.
        for (const delivery of before) void settle(delivery);
        await rig.until(
          () => `all are handled; ${handled.size} of ${published + 7} are`,
          () => handled.size === published + 7,
        );
        await isEmpty(rig, connection);
        await next.stop();
      }
      assert.deepEqual(
        [...handled].sort((a, b) => a - b),
        [-1, ...numbers(18)],
      );
    },
  ),
];

function subscribe(
  connection: Connection,
  deliveries: Delivery[],
  act: (delivery: Delivery) => void = () => {},
  readAhead = 20,
) {
  return connection.subscribe(USE_CASE.name, { readAhead, declaration: USE_CASE.id }, (delivery) => {
    deliveries.push(delivery);
    act(delivery);
  });
}

async function publish(connection: Connection, from: number, to: number): Promise<void> {
  const events = numbers(to - from).map((number) => encoded("a", { number: from + number }));
  assert.deepEqual(await connection.publish(events), []);
}

/** Publishes one after the other: what is published together may go the same way. */
async function publishOneByOne(connection: Connection, from: number, to: number): Promise<void> {
  for (let number = from; number < to; number += 1) await publish(connection, number, number + 1);
}

/** Publishes one after the other, each until it is confirmed: the connection may not be back yet. */
async function publishAtLast(rig: Rig, connection: Connection, from: number, to: number): Promise<void> {
  for (const number of numbers(to - from)) {
    const event = encoded("a", { number: from + number });
    await rig.until("it is published", async () => (await connection.publish([event])).length === 0);
  }
}

function isEmpty(rig: Rig, connection: Connection): Promise<void> {
  return rig.until("all are gone", async () => {
    const { ready, inFlight, waiting } = await connection.inspect(USE_CASE.name);
    return ready + inFlight + waiting === 0;
  });
}
