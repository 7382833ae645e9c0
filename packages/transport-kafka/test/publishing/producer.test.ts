import { PapaError } from "@papa-events/core";
import { expect, test, vi } from "vitest";
import { KafkajsClient } from "../../src/client/kafkajs-client.ts";
import { KafkaError } from "../../src/wire/kafka-error.ts";
import { makeTopic } from "../support/admin.ts";
import { brokerUri, declare, event, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

const produce = KafkajsClient.prototype.produce;

test("P1 a partition that the response does not mention is reported unconfirmed, and the others are not", async () => {
  const space = new Space();
  const connection = await space.connect();
  await declare(connection, "reader", ["a", "b", "c"]);
  const spy = vi.spyOn(KafkajsClient.prototype, "produce").mockImplementationOnce(async function (
    this: KafkajsClient,
    node,
    batches,
  ) {
    // As if the leader of one partition had moved: its batch is neither stored nor mentioned.
    return produce.call(
      this,
      node,
      batches.filter(({ topic }) => topic !== `${space.prefix}.b`),
    );
  });
  const unconfirmed = await connection.publish([event("a"), event("b"), event("c")]);
  spy.mockRestore();
  expect(unconfirmed.map(({ index }) => index)).toEqual([1]);
  expect(unconfirmed[0]?.error).toMatchObject({ retryable: true });
  await until("two are stored", async () => (await connection.inspect("reader")).ready === 2);
});

test("P1 an error of one partition is reported for its events only", async () => {
  const space = new Space();
  const connection = await space.connect();
  await declare(connection, "reader", ["a", "b"]);
  const spy = vi.spyOn(KafkajsClient.prototype, "produce").mockImplementationOnce(async function (
    this: KafkajsClient,
    node,
    batches,
  ) {
    const results = await produce.call(this, node, batches);
    const error = new KafkaError("NOT_ENOUGH_REPLICAS", "Messages are rejected", true);
    return results.map((result) => (result.topic.endsWith(".a") ? { ...result, error } : result));
  });
  const unconfirmed = await connection.publish([event("a"), event("b"), event("a")]);
  spy.mockRestore();
  expect(unconfirmed.map(({ index }) => index)).toEqual([0, 2]);
  for (const { error } of unconfirmed) expect(error).toBeInstanceOf(PapaError);
});

test("P2 events that Kafka refuses temporarily are sent again with the same ids until they are stored", async () => {
  const space = new Space();
  const ids: string[] = [];
  const app = space.app();
  app.onEvent("again", { useCase: "reader" }, (_, { id }) => void ids.push(id));
  await app.start();
  let refusals = 3;
  const spy = vi.spyOn(KafkajsClient.prototype, "produce").mockImplementation(async function (
    this: KafkajsClient,
    node,
    batches,
  ) {
    if (refusals === 0 || !batches.some(({ topic }) => topic.endsWith(".again")))
      return produce.call(this, node, batches);
    refusals -= 1;
    throw new KafkaError("NOT_LEADER_FOR_PARTITION", "This server is not the leader", true);
  });
  const published = await app.newEvents(Array.from({ length: 20 }, (_, payload) => ({ name: "again", payload })));
  spy.mockRestore();
  expect(refusals).toBe(0);
  await until("all are handled", () => ids.length >= 20);
  expect(ids.toSorted()).toEqual(published.map(({ id }) => id).toSorted());
});

test("P4 many large events go in batches that the broker accepts", async () => {
  const space = new Space();
  let handled = 0;
  const app = space.app();
  app.onEvent("large", { useCase: "reader" }, () => {
    handled += 1;
  });
  await app.start();
  const payload = "x".repeat(300_000);
  await app.newEvents(Array.from({ length: 30 }, () => ({ name: "large", payload })));
  await until("all are handled", () => handled === 30);
});

test("H8 an event that its topic does not accept is told so, and its neighbours in the batch are stored", async () => {
  const space = new Space();
  const connection = await space.connect();
  await makeTopic(brokerUri(), `${space.prefix}.narrow`, { "max.message.bytes": "100000" });
  await declare(connection, "reader", ["narrow", "other"]);
  const events = Array.from({ length: 300 }, (_, number) =>
    event("narrow", "x".repeat(number === 100 ? 120_000 : 1_000)),
  );
  const unconfirmed = await connection.publish([...events, event("other")]);
  expect(unconfirmed.map(({ index }) => index)).toEqual([100]);
  expect(unconfirmed[0]?.error).toMatchObject({ code: "payload-too-large", retryable: false });
  expect(unconfirmed[0]?.error.message).toContain("max.message.bytes");
  expect((await connection.inspect("reader")).ready).toBe(300);
});

test("H8 a name that cannot be a topic is refused, and its neighbours are stored", async () => {
  const space = new Space();
  const connection = await space.connect();
  await declare(connection, "reader", ["a", "b"]);
  const unconfirmed = await connection.publish([event("a"), event("no topic"), event("b")]);
  expect(unconfirmed.map(({ index }) => index)).toEqual([1]);
  expect(unconfirmed[0]?.error).toMatchObject({ retryable: false });
  expect((await connection.inspect("reader")).ready).toBe(2);
});
