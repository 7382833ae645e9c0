import { randomBytes } from "node:crypto";
import type { PapaApp } from "@papa-events/core";
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

async function startReader(space: Space): Promise<{ app: PapaApp; payloads: unknown[]; topic: string }> {
  const payloads: unknown[] = [];
  const app = space.app();
  app.onEvent("foreign.#", { useCase: "reader" }, (payload) => void payloads.push(payload));
  await app.start();
  return { app, payloads, topic: `${space.prefix}.foreign` };
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

test.each(["gzip", "snappy", "lz4", "zstd"])(
  "L5 events that a broker has compressed with %s are handled like any other",
  async (type) => {
    const space = new Space();
    await makeTopic(brokerUri(), `${space.prefix}.foreign`, { "compression.type": type });
    const { payloads, topic } = await startReader(space);
    const producer = await foreignProducer();
    const texts = ["short", "repeated ".repeat(20_000), randomBytes(50_000).toString("base64"), "ab".repeat(70_000)];
    const sent = Array.from({ length: 60 }, (_, number) => ({ number, text: texts[number % texts.length] }));
    const messages = sent.map((payload) => ({ value: JSON.stringify(payload), partition: 0 }));
    await producer.send({ topic, messages: messages.slice(0, 4) });
    await producer.send({ topic, messages: messages.slice(4, 10), compression: CompressionTypes.GZIP });
    for (let from = 10; from < 60; from += 5) await producer.send({ topic, messages: messages.slice(from, from + 5) });
    await until("all are handled", () => payloads.length === 60);
    const numberOf = (payload: unknown) => (payload as { number: number }).number;
    expect(payloads.toSorted((a, b) => numberOf(a) - numberOf(b))).toEqual(sent);
  },
);

test("L5 hostile headers and values do no harm", async () => {
  const space = new Space();
  const { app, payloads, topic } = await startReader(space);
  const producer = await foreignProducer();
  const headers = JSON.parse('{"__proto__": "x", "constructor": "y", "ce_id": "", "papa_attempt": "-7"}') as Record<
    string,
    string
  >;
  await producer.send({ topic, messages: [{ value: "1", headers }, { value: null }, { value: '"last"' }] });
  await until("the good ones are handled", () => payloads.includes("last"));
  expect(payloads).toContain(1);
  const letters = app.deadLetters("reader");
  await until("the tombstone is dead", async () => (await letters.count()) === 1);
  const [tombstone] = (await letters.list()).items;
  // It used to be called the unexpected end of something.
  expect([tombstone?.reason, tombstone?.error.message]).toEqual(["invalid-payload", expect.stringContaining("empty")]);
});
