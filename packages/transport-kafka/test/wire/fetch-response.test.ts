import { CompressionTypes, Kafka, logLevel, Partitioners, type Producer } from "kafkajs";
import { expect, onTestFinished, test } from "vitest";
import { makeTopic } from "../support/admin.ts";
import { brokerUri, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

/** Makes a producer as another program would. */
async function foreignProducer(transactionalId?: string): Promise<Producer> {
  const brokers = [brokerUri().slice("kafka://".length)];
  const client = new Kafka({ brokers, logLevel: logLevel.NOTHING });
  const transactions =
    transactionalId === undefined ? {} : { transactionalId, maxInFlightRequests: 1, idempotent: true };
  const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner, ...transactions });
  await producer.connect();
  onTestFinished(() => producer.disconnect());
  return producer;
}

async function startReader(space: Space): Promise<{ payloads: unknown[]; topic: string }> {
  const payloads: unknown[] = [];
  const app = space.app();
  app.onEvent("foreign.#", { useCase: "reader" }, (payload) => void payloads.push(payload));
  await app.start();
  return { payloads, topic: `${space.prefix}.foreign` };
}

test("L5 records of an aborted transaction are not handled, those of a committed one are", async () => {
  const space = new Space();
  const { payloads, topic } = await startReader(space);
  const producer = await foreignProducer(space.prefix);
  const send = async (value: string, end: "abort" | "commit") => {
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [0, 1, 2, 3].map((partition) => ({ partition, value })) });
    await transaction[end]();
  };
  await send('"committed"', "commit");
  await send('"aborted"', "abort");
  await send('"committed too"', "commit");
  await until("all that is committed is handled", () => payloads.length >= 8);
  expect(new Set(payloads)).toEqual(new Set(["committed", "committed too"]));
  expect(payloads.length).toBe(8);
});

test("L5 compressed events are handled like any other", async () => {
  const space = new Space();
  await makeTopic(brokerUri(), `${space.prefix}.foreign`, { "compression.type": "gzip" });
  const { payloads, topic } = await startReader(space);
  const producer = await foreignProducer();
  const messages = Array.from({ length: 50 }, (_, number) => ({ value: JSON.stringify({ number }), partition: 0 }));
  await producer.send({ topic, messages, compression: CompressionTypes.GZIP });
  await until("all are handled", () => payloads.length === 50);
  expect(payloads[49]).toEqual({ number: 49 });
});

test("L5 a batch that cannot be read holds up its own partition only", async () => {
  const space = new Space();
  await makeTopic(brokerUri(), `${space.prefix}.foreign`, { "compression.type": "lz4" });
  const { payloads, topic } = await startReader(space);
  const producer = await foreignProducer();
  // The broker compresses it in a way that the transport does not support.
  await producer.send({ topic, messages: [{ value: '"unreadable"' }] });
  const app = space.app();
  app.onEvent("readable", { useCase: "reader" }, (payload) => void payloads.push(payload));
  await app.start();
  const { length } = await app.newEvents(Array.from({ length: 20 }, (_, payload) => ({ name: "readable", payload })));
  await until("the others are handled", () => payloads.length === length);
  expect(payloads).not.toContain("unreadable");
});

test("L5 hostile headers and values do no harm", async () => {
  const space = new Space();
  const { payloads, topic } = await startReader(space);
  const producer = await foreignProducer();
  const headers = JSON.parse('{"__proto__": "x", "constructor": "y", "ce_id": "", "papa_attempt": "-7"}') as Record<
    string,
    string
  >;
  await producer.send({ topic, messages: [{ value: "1", headers }, { value: null }, { value: '"last"' }] });
  await until("the good ones are handled", () => payloads.includes("last"));
  expect(payloads).toContain(1);
});
