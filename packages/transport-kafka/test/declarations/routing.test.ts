import { expect, test } from "vitest";
import { makeTopic, produceFrom, withAdmin } from "../support/admin.ts";
import { brokerUri, declare, event, Space, subscribing } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("R7 a topic that appears later reaches wildcards in time, from its first event on", async () => {
  const space = new Space();
  const names: string[] = [];
  const app = space.app();
  app.onEvent("#", { useCase: "all" }, (_, { eventName }) => void names.push(eventName));
  await app.start();
  const publisher = space.app();
  await publisher.start();
  const started = performance.now();
  await publisher.newEvents(["never.seen", "never.seen.before", "other"].map((name) => ({ name, payload: {} })));
  await until("all are handled", () => names.length === 3);
  expect(performance.now() - started).toBeLessThan(5_000);
  expect(names.toSorted()).toEqual(["never.seen", "never.seen.before", "other"]);
});

test("R1 partitions that are added later are read from their beginning", async () => {
  const space = new Space();
  const handled = new Set<unknown>();
  const app = space.app();
  app.onEvent("#", { useCase: "grown" }, (payload) => void handled.add(payload));
  await app.start();
  await app.newEvent("growing", "first");
  await until("the first is handled", () => handled.has("first"));
  const topic = `${space.prefix}.growing`;
  await withAdmin(brokerUri(), (admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 8 }] }));
  for (let partition = 0; partition < 8; partition += 1)
    await until("it is stored", () =>
      produceFrom(brokerUri(), topic, { partition, value: JSON.stringify(partition) }).then(
        () => true,
        () => false,
      ),
    );
  await until("those of all partitions are handled", () => handled.size === 9);
});

test("L5 a topic of another program gives events their name if the header does not", async () => {
  const space = new Space();
  const names: string[] = [];
  const app = space.app();
  app.onEvent("foreign.*", { useCase: "outsiders" }, (_, { eventName }) => void names.push(eventName));
  await app.start();
  const topic = `${space.prefix}.foreign.made`;
  await withAdmin(brokerUri(), (admin) => admin.createTopics({ waitForLeaders: false, topics: [{ topic }] }));
  await until("it is stored", () =>
    produceFrom(brokerUri(), topic, { value: "{}" }).then(
      () => true,
      () => false,
    ),
  );
  await until("it is handled", () => names.length > 0, 30_000);
  expect(names).toEqual(["foreign.made"]);
});

test("R6 what another connection declares while this one consumes is delivered at once", async () => {
  const space = new Space();
  const first = await space.connect();
  await declare(first, "shared", ["shared.a"]);
  const names: (string | undefined)[] = [];
  await first.subscribe("shared", subscribing(10), (delivery) => {
    names.push(delivery.event.name);
    void delivery.settle({ kind: "done", outputs: [] });
  });
  const second = await space.connect();
  await second.publish([event("shared.b")]);
  await declare(second, "shared", ["shared.a", "shared.b"]);
  await second.publish([event("shared.b"), event("shared.a")]);
  await until("both are delivered", () => names.length === 2);
  expect(names.toSorted()).toEqual(["shared.a", "shared.b"]);
});

test("R6 a forwarded event reaches the instance that accepts it, whichever partitions each instance has", async () => {
  const space = new Space();
  const useCases = Array.from({ length: 8 }, (_, index) => `case_${index}`);
  const older = space.app();
  for (const useCase of useCases) older.onEvent("old.#", { useCase }, () => {});
  await makeTopic(brokerUri(), `${space.prefix}.old`, {});
  await older.start();
  const newer = space.app();
  const handled = new Map<string, number>();
  const count = (useCase: string) => handled.set(useCase, (handled.get(useCase) ?? 0) + 1);
  for (const useCase of useCases) newer.onEvent("new.#", { useCase }, () => void count(useCase));
  await newer.start();
  await newer.newEvents(Array.from({ length: 10 }, () => ({ name: "new.one", payload: {} })));
  await until("all are handled", () => useCases.every((useCase) => handled.get(useCase) === 10));
});

test("R6 300 events that one instance in six accepts are handled within 3 s", async () => {
  const space = new Space();
  const partitions = 6;
  const transport = () => space.transport({ partitions });
  const handled = new Map<string, number>();
  const handle = (_: unknown, { id }: { id: string }) => void handled.set(id, performance.now());
  for (let index = 0; index < 5; index += 1) {
    const older = space.app({ transport: transport() });
    older.onEvent("shared.old", { useCase: "shared" }, handle);
    await older.start();
  }
  const newer = space.app({ transport: transport() });
  newer.onEvent("shared.new", { useCase: "shared" }, handle);
  await newer.start();
  const timesOf = async (name: string) => {
    handled.clear();
    const begun = performance.now();
    await newer.newEvents(Array.from({ length: 300 }, () => ({ name, payload: {} })));
    await until("all are handled", () => handled.size === 300);
    return [...handled.values()].map((time) => time - begun).sort((a, b) => a - b);
  };
  const atOnce = (await timesOf("shared.old"))[296] ?? 0;
  // What five of six accept is forwarded too, a sixth of it. On a machine that is busy with other tests that takes its time.
  const busy = Math.max(0, atOnce - 500);
  expect((await timesOf("shared.new"))[296]).toBeLessThan(3_000 + 4 * busy);
});
