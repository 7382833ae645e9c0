import type { Delivery } from "@papa-events/core/transport";
import { expect, onTestFinished, test } from "vitest";
import { clientTo, groupOf, membersOf, removeMembers } from "../support/admin.ts";
import { brokerUri, declare, event, publish, Space, subscribing } from "../support/space.ts";
import { until } from "../support/wait.ts";

const isStable = async (group: string, members: number) => {
  const found = await groupOf(brokerUri(), group);
  return found?.state === "Stable" && found.members.length === members;
};
const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

test("H3 an event stays with its slow handler while instances come and go", async () => {
  const space = new Space();
  const calls = new Map<string, number>();
  const held: (() => void)[] = [];
  const handler = async (payload: unknown, { id }: { id: string }) => {
    calls.set(id, (calls.get(id) ?? 0) + 1);
    if (payload === "slow") await new Promise<void>((resolve) => held.push(resolve));
  };
  const instance = async () => {
    const app = space.app({ concurrency: 20 });
    app.onEvent("work", { useCase: "slow" }, handler);
    await app.start();
    return app;
  };
  const first = await instance();
  await first.newEvents(numbers(4).map(() => ({ name: "work", payload: "slow" })));
  await until("four are held", () => held.length === 4);
  for (const round of numbers(3)) {
    const other = await instance();
    await first.newEvents(numbers(30).map(() => ({ name: "work", payload: "quick" })));
    await until(`the quick ones of round ${round} are handled`, () => calls.size === 4 + (round + 1) * 30);
    await other.stop();
  }
  for (const finish of held) finish();
  await until("nothing is left", async () => {
    const { slow } = await first.stats();
    return slow !== undefined && slow.ready + slow.inFlight === 0;
  });
  expect([...calls.values()].filter((count) => count !== 1)).toEqual([]);
});

test("L3 a rolling restart of three instances under load handles each event once", async () => {
  const space = new Space();
  const handled: string[] = [];
  const instance = async () => {
    const app = space.app();
    app.onEvent("flow", { useCase: "rolled" }, async (_, { id }) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
      handled.push(id);
    });
    await app.start();
    return app;
  };
  const instances = await Promise.all(numbers(3).map(instance));
  const publisher = space.app();
  await publisher.start();
  const ids: string[] = [];
  for (const index of numbers(3)) {
    const publishing = publisher.newEvents(numbers(300).map((payload) => ({ name: "flow", payload })));
    await instances[index]?.stop();
    instances[index] = await instance();
    ids.push(...(await publishing).map(({ id }) => id));
  }
  await until("all are handled", () => new Set(handled).size === ids.length);
  expect(handled.length).toBe(ids.length);
});

test("L3 what is settled after its partition has gone to another instance is dropped", async () => {
  const space = new Space();
  const { proxy, options } = await space.proxy();
  const first = await space.connect({ ...options, sessionTimeout: 1_000 });
  await declare(first, "stale", ["held", "never"]);
  const before: Delivery[] = [];
  await first.subscribe("stale", subscribing(50), (delivery) => before.push(delivery));
  await first.publish(numbers(10).map((number) => event("held", { number })));
  await until("ten are delivered", () => before.length === 10);
  proxy.refuse();
  const second = await space.connect({ sessionTimeout: 1_000 });
  const after: Delivery[] = [];
  await second.subscribe("stale", subscribing(50), (delivery) => after.push(delivery));
  await until("the ten are delivered again", () => after.length === 10);
  proxy.accept();
  await until("the first is a member again", () => isStable(space.group("stale"), 2));
  await Promise.all(before.map((delivery) => delivery.settle({ kind: "done", outputs: [] })));
  const { ready, inFlight } = await second.inspect("stale");
  expect(ready + inFlight).toBe(10);
  expect(after.every(({ attempt }) => attempt === 1)).toBe(true);
  await Promise.all(after.map((delivery) => delivery.settle({ kind: "done", outputs: [] })));
  await until("all are gone", async () => (await second.inspect("stale")).ready === 0);
});

test("L3 an instance that is removed from its group rejoins by itself", async () => {
  const space = new Space();
  const ids: string[] = [];
  const app = space.app();
  app.onEvent("again", { useCase: "evicted" }, (_, { id }) => void ids.push(id));
  await app.start();
  for (const round of numbers(3)) {
    await removeMembers(brokerUri(), space.group("evicted"));
    await app.newEvent("again", { round });
    await until(`round ${round} is handled`, () => ids.length === round + 1);
  }
  // The last event may have been handled before the instance noticed that it is not a member any more.
  await until("it is a member again", async () => (await membersOf(brokerUri(), space.group("evicted"))).length === 1);
});

test("H1 what was done out of order is not delivered again after a kill", async () => {
  const space = new Space();
  const { proxy, options } = await space.proxy();
  const first = await space.connect({ ...options, sessionTimeout: 1_000 });
  await declare(first, "gaps", ["gap"]);
  const before: Delivery[] = [];
  await first.subscribe("gaps", subscribing(50), (delivery) => before.push(delivery));
  await first.publish(numbers(20).map((number) => event("gap", number)));
  await until("all are delivered", () => before.length === 20);
  const bodyOf = ({ event: { body } }: Delivery) => Number(Buffer.from(body).toString());
  const open = before.filter((delivery) => bodyOf(delivery) % 5 === 0);
  for (const delivery of before) if (!open.includes(delivery)) void delivery.settle({ kind: "done", outputs: [] });
  await until("what is done is committed", async () => {
    const { ready, inFlight } = await first.inspect("gaps");
    return ready + inFlight === 4;
  });
  proxy.refuse();
  const second = await space.connect({ sessionTimeout: 1_000 });
  const after: Delivery[] = [];
  await second.subscribe("gaps", subscribing(50), (delivery) => after.push(delivery));
  await until("the open ones are delivered again", () => after.length >= 4);
  expect(after.map(bodyOf).toSorted((a, b) => a - b)).toEqual([0, 5, 10, 15]);
});

test("L3 what was dropped is delivered again when the partition comes back", async () => {
  const space = new Space();
  const first = await space.proxy();
  const second = await space.proxy();
  const one = await space.connect({ ...first.options, sessionTimeout: 1_000 });
  await declare(one, "dropped", ["held", "never"]);
  const ofOne: Delivery[] = [];
  await one.subscribe("dropped", subscribing(50), (delivery) => ofOne.push(delivery));
  await one.publish(numbers(6).map((number) => event("held", { number })));
  await until("six are delivered", () => ofOne.length === 6);
  first.proxy.refuse();
  const other = await space.connect({ ...second.options, sessionTimeout: 1_000 });
  const ofOther: Delivery[] = [];
  await other.subscribe("dropped", subscribing(50), (delivery) => ofOther.push(delivery));
  await until("the six are delivered again", () => ofOther.length === 6);
  first.proxy.accept();
  await until("the first is a member again", () => isStable(space.group("dropped"), 2));
  await Promise.all(ofOne.map((delivery) => delivery.settle({ kind: "done", outputs: [event("never")] })));
  second.proxy.refuse();
  await until("the first has them again", () => ofOne.length === 12);
  await Promise.all(ofOne.slice(6).map((delivery) => delivery.settle({ kind: "done", outputs: [] })));
  await until("all are gone", async () => {
    const { ready, inFlight } = await one.inspect("dropped");
    return ready + inFlight === 0;
  });
});

/** The broker never answers the SyncGroup request of a member that is removed while it waits: it used to wait for 15 s. */
test("L3 an instance that is removed while it waits for its partitions rejoins at once", async () => {
  const space = new Space();
  const group = space.group("unanswered");
  const leader = clientTo(brokerUri());
  const operator = clientTo(brokerUri());
  onTestFinished(() => {
    leader.close();
    operator.close();
  });
  await leader.metadata("all");
  const node = await leader.coordinator(group);
  await operator.coordinator(group);
  const request = { group, sessionTimeout: 30_000, rebalanceTimeout: 30_000, topics: [], userData: "" };
  const { memberId, generation } = await leader.join(node, { ...request, memberId: "" });
  await leader.sync(node, { group, memberId, generation }, []);
  const app = space.app();
  let handled = 0;
  app.onEvent("sync", { useCase: "unanswered" }, () => {
    handled += 1;
  });
  const starting = app.start();
  await until("the instance joins", async () => (await groupOf(brokerUri(), group))?.state === "PreparingRebalance");
  await leader.join(node, { ...request, memberId });
  const members = (await groupOf(brokerUri(), group))?.members.map((member) => member.memberId) ?? [];
  expect(members).toHaveLength(2);
  const begun = performance.now();
  for (const each of members) if (each !== memberId) await operator.leave(node, group, each);
  await leader.leave(node, group, memberId);
  await starting;
  expect(performance.now() - begun).toBeLessThan(8_000);
  await app.newEvent("sync", {});
  await until("it is handled", () => handled === 1);
});

/** Event partitions and ready partitions used to be shared out as if they were the same work: two instances got 1,000 and 0. */
test("R8 instances that start one after another while nothing is to be done each get at least half of a fair share", async () => {
  const space = new Space();
  const partitions = 6;
  const publisher = await space.connect({ partitions });
  const counts: number[] = [];
  const join = async () => {
    const index = counts.push(0) - 1;
    const connection = await space.connect({ partitions });
    await declare(connection, "shared", ["work"]);
    await connection.subscribe("shared", subscribing(20), (delivery) => {
      counts[index] = (counts[index] ?? 0) + 1;
      void delivery.settle({ kind: "done", outputs: [] });
    });
  };
  for (const size of [2, 3, 6]) {
    while (counts.length < size) await join();
    const each = 20;
    // It may take some seconds until the last rebalance is over.
    await until(
      `${size} instances share`,
      async () => {
        counts.fill(0);
        // One by one, so that they go through the partitions in turn.
        for (let number = 0; number < size * each; number += 1) await publish(publisher, [event("work")]);
        await until("all are handled", () => counts.reduce((sum, count) => sum + count, 0) >= size * each);
        return counts.every((count) => count >= each / 2);
      },
      10_000,
    );
  }
});
