import type { Delivery } from "@papa-events/core/transport";
import { expect, test } from "vitest";
import { declare, event, publish, Space, subscribing } from "../support/space.ts";
import { until } from "../support/wait.ts";

const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

test("a pause is remembered until it is undone, by whoever asks, and goes with its use case", async () => {
  const space = new Space();
  const connection = await space.connect();
  const { administration } = connection;
  expect(await administration?.paused()).toEqual([]);
  await declare(connection, "one", ["a"]);
  await declare(connection, "two", ["a"]);
  for (const useCase of ["two", "one", "one"]) await administration?.pause(useCase);
  const other = await space.connect({}, { operator: true });
  expect(await other.administration?.paused()).toEqual(["one", "two"]);
  await declare(connection, "one", ["a"]);
  await other.administration?.resume("two");
  expect(await administration?.paused()).toEqual(["one"]);
  await other.administration?.remove("one", "purge");
  expect(await administration?.paused()).toEqual([]);
});

test("a use case is subscribed again and again on one connection, while earlier deliveries are unsettled", async () => {
  const space = new Space();
  const { proxy, options } = await space.proxy();
  const connection = await space.connect(options);
  await declare(connection, "paused", ["work"]);
  const held: Delivery[] = [];
  const done: string[] = [];
  const hold = (delivery: Delivery) => void held.push(delivery);
  const first = await connection.subscribe("paused", subscribing(4), hold);
  await publish(
    connection,
    numbers(4).map(() => event("work")),
  );
  await until("four are delivered", () => held.length === 4);
  const later: (readonly [Delivery, string])[] = [];
  let before = first;
  for (const round of numbers(3)) {
    await before.stop();
    before.readAhead(100);
    if (round === 1) {
      proxy.refuse();
      proxy.accept();
    }
    const published = numbers(5).map(() => event("work"));
    await publish(connection, published);
    expect(later.length).toBe(round * 4);
    // What is unsettled from before does not count for the new one.
    before = await connection.subscribe("paused", subscribing(4), (delivery) => {
      if (later.length < (round + 1) * 4) later.push([delivery, `round ${round}`]);
      else void delivery.settle({ kind: "release" });
    });
    await until(`four are delivered in round ${round}`, () => later.length === (round + 1) * 4);
  }
  const ids = new Set<unknown>();
  for (const delivery of [...held, ...later.map(([each]) => each)]) {
    ids.add(delivery.event.id);
    expect(await delivery.settle({ kind: "done", outputs: [] })).toBe("stored");
    done.push(String(delivery.event.id));
  }
  expect(ids.size).toBe(16);
  expect(done.length).toBe(16);
});

test("nothing is handled while three instances are paused, and all of it once when they are resumed", async () => {
  const space = new Space();
  const handled: string[] = [];
  const apps = await Promise.all(
    numbers(3).map(async () => {
      const app = space.app();
      app.onEvent("load", { useCase: "loaded" }, async (_, { id }) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        handled.push(id);
      });
      await app.start();
      return app;
    }),
  );
  const operator = (await space.connect({}, { operator: true })).administration;
  await operator?.pause("loaded");
  const isPaused = async (app: (typeof apps)[number]) => (await app.stats()).loaded;
  await until("all have noticed", async () => {
    const before = handled.length;
    await apps[0]?.newEvents(numbers(30).map(() => ({ name: "load", payload: {} })));
    await new Promise((resolve) => setTimeout(resolve, 300));
    return handled.length === before;
  });
  const before = handled.length;
  const published = await apps[0]?.newEvents(numbers(200).map(() => ({ name: "load", payload: {} })));
  expect((await isPaused(apps[0] as (typeof apps)[number]))?.ready).toBeGreaterThanOrEqual(200);
  expect(handled.length).toBe(before);
  await operator?.resume("loaded");
  await until("all are handled", () => published?.every(({ id }) => handled.includes(id)) === true);
  expect(new Set(handled).size).toBe(handled.length);
});
