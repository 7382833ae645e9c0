import type { Delivery, Settlement } from "@papa-events/core/transport";
import { expect, onTestFinished, test, vi } from "vitest";
import { KafkajsClient } from "../../src/client/kafkajs-client.ts";
import { KafkaError } from "../../src/wire/kafka-error.ts";
import { declare, event, Space, subscribing } from "../support/space.ts";
import { until } from "../support/wait.ts";

const { produce } = KafkajsClient.prototype;
const done: Settlement = { kind: "done", outputs: [] };

/** Has the broker answer what is sent to some topics with an error. */
function refuse(type: string, retriable: boolean, concerns: (topic: string) => boolean): void {
  const spy = vi.spyOn(KafkajsClient.prototype, "produce").mockImplementation(async function (
    this: KafkajsClient,
    node,
    batches,
  ) {
    const refused = batches.filter(({ topic }) => concerns(topic));
    const accepted = batches.filter(({ topic }) => !concerns(topic));
    const results = accepted.length === 0 ? [] : await produce.call(this, node, accepted);
    const error = new KafkaError(type, `refused: ${type}`, retriable);
    return [...results, ...refused.map(({ topic, partition }) => ({ topic, partition, error, offset: -1, time: -1 }))];
  });
  onTestFinished(() => spy.mockRestore());
}

async function consume(space: Space, count: number, readAhead = 50, payload: unknown = {}) {
  const connection = await space.connect();
  await declare(connection, "reader", ["in"]);
  const deliveries: Delivery[] = [];
  await connection.subscribe("reader", subscribing(readAhead), (delivery) => deliveries.push(delivery));
  await connection.publish(Array.from({ length: count }, () => event("in", payload)));
  await until("they are delivered", () => deliveries.length === Math.min(count, readAhead));
  return { connection, deliveries };
}

test("L6 a settlement says that it is stored, and a second one of the same delivery that it is not", async () => {
  const space = new Space();
  const { connection, deliveries } = await consume(space, 4);
  const settlements: readonly Settlement[] = [
    done,
    { kind: "done", outputs: [event("out")] },
    { kind: "retry", delay: 60_000, event: event("in") },
    { kind: "dead", id: "letter", event: event("in") },
  ];
  for (const [index, settlement] of settlements.entries()) {
    const delivery = deliveries[index];
    expect(delivery?.lost).toBe(false);
    expect(await delivery?.settle(settlement)).toBe("stored");
    expect(await delivery?.settle(settlement)).toBe("lost");
  }
  await until("it is counted", async () => {
    const { ready, inFlight, waiting, dead } = await connection.inspect("reader");
    return ready + inFlight === 0 && waiting === 1 && dead === 1;
  });
});

test("L6 after the connection was closed every delivery is lost", async () => {
  const space = new Space();
  const { connection, deliveries } = await consume(space, 2);
  await connection.close();
  expect(deliveries.map(({ lost }) => lost)).toEqual([true, true]);
  expect(await deliveries[0]?.settle(done)).toBe("lost");
  expect(await deliveries[1]?.settle({ kind: "dead", id: "letter", event: event("in") })).toBe("lost");
});

test("L6 what was read ahead is lost once the session has expired, and is delivered again", async () => {
  const space = new Space();
  const { proxy, options } = await space.proxy();
  const connection = await space.connect({ ...options, sessionTimeout: 1_000 });
  await declare(connection, "ahead", ["in"]);
  const deliveries: Delivery[] = [];
  await connection.subscribe("ahead", subscribing(10), (delivery) => deliveries.push(delivery));
  await connection.publish([event("in"), event("in"), event("in")]);
  await until("they are delivered", () => deliveries.length === 3);
  proxy.refuse();
  const [running, ...waiting] = deliveries;
  await until("those that wait are lost", () => waiting.every(({ lost }) => lost));
  proxy.accept();
  await until("those two are delivered again", () => deliveries.length === 5);
  for (const delivery of [running, ...deliveries.slice(3)]) expect(await delivery?.settle(done)).toBe("stored");
  await until("nothing is left", async () => {
    const { ready, inFlight } = await connection.inspect("ahead");
    return ready + inFlight === 0;
  });
  expect(deliveries).toHaveLength(5);
});

test("D5 what the broker refuses for good is told so, and something else can be stored in its place", async () => {
  const space = new Space();
  const { connection, deliveries } = await consume(space, 1);
  refuse("TOPIC_AUTHORIZATION_FAILED", false, (topic) => topic.endsWith("--delays"));
  const [delivery] = deliveries;
  await expect(delivery?.settle({ kind: "retry", delay: 10, event: event("in") })).rejects.toMatchObject({
    code: "access-refused",
    retryable: false,
  });
  expect(await delivery?.settle({ kind: "dead", id: "letter", event: event("in") })).toBe("stored");
  expect(await connection.deadLetters("reader").count()).toBe(1);
});

test("L6 what the broker refuses for now is told so soon, and is stored later", async () => {
  const space = new Space();
  const { deliveries } = await consume(space, 1);
  let refusing = true;
  refuse("NOT_ENOUGH_REPLICAS", true, (topic) => refusing && topic.endsWith("--delays"));
  const [delivery] = deliveries;
  const settlement: Settlement = { kind: "retry", delay: 10, event: event("in") };
  await expect(delivery?.settle(settlement)).rejects.toMatchObject({ retryable: true });
  expect(delivery?.lost).toBe(false);
  refusing = false;
  expect(await delivery?.settle(settlement)).toBe("stored");
});

test("H1 outputs that are stored are not stored again with those that were refused", async () => {
  const space = new Space();
  const { connection, deliveries } = await consume(space, 1);
  await declare(connection, "outputs", ["one", "two"]);
  let refusing = true;
  refuse("TOPIC_AUTHORIZATION_FAILED", false, (topic) => refusing && topic.endsWith(".two"));
  const settlement: Settlement = { kind: "done", outputs: [event("one"), event("two")] };
  await expect(deliveries[0]?.settle(settlement)).rejects.toMatchObject({ retryable: false });
  refusing = false;
  expect(await deliveries[0]?.settle(settlement)).toBe("stored");
  expect((await connection.inspect("outputs")).ready).toBe(2);
});

test("H9 a delivery counts for the read-ahead until its settlement is stored", async () => {
  const space = new Space();
  const { deliveries } = await consume(space, 20, 5);
  let refusing = true;
  refuse("NOT_ENOUGH_REPLICAS", true, (topic) => refusing && topic.endsWith(".out"));
  const settled = deliveries.map((delivery) => delivery.settle({ kind: "done", outputs: [event("out")] }));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(deliveries).toHaveLength(5);
  refusing = false;
  expect(await Promise.all(settled)).toEqual(["stored", "stored", "stored", "stored", "stored"]);
  await until("five more are delivered", () => deliveries.length === 10);
});

test("H8 a released delivery comes back after a pause, and its neighbours are not held up", async () => {
  const space = new Space();
  const { deliveries } = await consume(space, 1);
  const begun = performance.now();
  expect(await deliveries[0]?.settle({ kind: "release" })).toBe("stored");
  await until("it is delivered again", () => deliveries.length === 2);
  expect(performance.now() - begun).toBeGreaterThan(400);
  expect(deliveries[1]).toMatchObject({ attempt: 1, redeliveries: 0 });
  expect(await deliveries[0]?.settle(done)).toBe("lost");
  expect(await deliveries[1]?.settle(done)).toBe("stored");
});
