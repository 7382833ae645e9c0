import type { ReceivedEvent } from "@papa-events/core/transport";
import { expect, onTestFinished, test } from "vitest";
import { clientTo, produceFrom } from "../support/admin.ts";
import { brokerUri, declare, Space, subscribing } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("L5 headers that are no text, or come twice, are the same on a retry, in a dead letter and after its redrive", async () => {
  const space = new Space();
  const headers = {
    plain: "text",
    bytes: Buffer.from([0, 255, 254, 128]),
    twice: ["one", "two"],
    mixed: [Buffer.from([255]), "text", Buffer.alloc(0)],
    empty: "",
  };
  const app = space.app({ retries: 1, retryDelay: 50 });
  const seen: unknown[] = [];
  app.onEvent("foreign", { useCase: "reader" }, (_, context) => {
    seen.push(context.headers);
    if (seen.length < 3) throw new Error("not yet");
  });
  await app.start();
  await produceFrom(brokerUri(), `${space.prefix}.foreign`, { value: "{}", headers });
  const letters = app.deadLetters("reader");
  await until("it is dead", async () => (await letters.count()) === 1);
  const connection = await space.connect();
  const { items } = await connection.deadLetters("reader").list({ limit: 1, order: "newest" });
  expect(bytesOf(items[0]?.event, Object.keys(headers))).toEqual(bytesOf({ headers }, Object.keys(headers)));
  await letters.redrive("all");
  await until("it has come three times", () => seen.length === 3);
  // What is no text is not shown to handlers.
  expect(seen).toEqual(Array.from({ length: 3 }, () => ({ plain: "text", twice: "one", empty: "" })));
});

test.each([
  ["of text", Buffer.from("customer-7"), "customer-7"],
  ["of bytes", Buffer.from([0, 255, 254, 128]), undefined],
])(
  "L5 a key %s is the same on a retry and after a redrive, and a handler reads it as a header",
  async (_, key, text) => {
    const space = new Space();
    const app = space.app({ retries: 1, retryDelay: 50 });
    const seen: unknown[] = [];
    app.onEvent("foreign", { useCase: "reader" }, (_payload, { headers }) => {
      seen.push(headers.kafka_key);
      if (seen.length < 3) throw new Error("not yet");
    });
    await app.start();
    await produceFrom(brokerUri(), `${space.prefix}.foreign`, { key, value: "{}" });
    const letters = app.deadLetters("reader");
    await until("it is dead", async () => (await letters.count()) === 1);
    await letters.redrive("all");
    await until("it has come three times", () => seen.length === 3);
    expect(seen).toEqual([text, text, text]);
    const keys = await keysIn(`${space.prefix}--ready-reader`);
    expect(keys.map((each) => each?.toString("hex"))).toEqual([key.toString("hex"), key.toString("hex")]);
  },
);

async function keysIn(topic: string): Promise<readonly (Buffer | null)[]> {
  const client = clientTo(brokerUri());
  onTestFinished(() => client.close());
  const { nodes, topics } = await client.metadata([topic]);
  const partitions = topics.get(topic)?.partitions.map(({ partition }) => ({ topic, partition, offset: 0 })) ?? [];
  const limits = { wait: 0, bytes: 1_048_576, bytesPerPartition: 1_048_576 };
  const fetched = await client.fetch(nodes[0] ?? -1, partitions, limits);
  return fetched.flatMap(({ records }) => records.map((record) => record.key));
}

/** Each header's values as hex. */
function bytesOf(event: Pick<ReceivedEvent, "headers"> | undefined, names: readonly string[]): unknown {
  const hex = (value: unknown) => Buffer.from(value as string).toString("hex");
  return names.map((name) => {
    const value = event?.headers[name];
    return [name, Array.isArray(value) ? value.map(hex) : hex(value)];
  });
}

test("H9 an event tells how large its headers are", async () => {
  const space = new Space();
  const connection = await space.connect();
  await declare(connection, "reader", ["foreign"]);
  const sizes: (number | undefined)[] = [];
  await connection.subscribe("reader", subscribing(1), ({ event }) => sizes.push(event.headerBytes));
  await produceFrom(brokerUri(), `${space.prefix}.foreign`, { value: "{}", headers: { large: "x".repeat(200_000) } });
  await until("it has come", () => sizes.length === 1);
  expect(sizes[0]).toBeGreaterThan(200_000);
  expect(sizes[0]).toBeLessThan(200_200);
});
