import { expect, onTestFinished, test } from "vitest";
import { clientTo, makeTopic, produceFrom } from "../support/admin.ts";
import { brokerUri, declare, event, Space, subscribing } from "../support/space.ts";
import { until } from "../support/wait.ts";

test.each([undefined, "gzip", "zstd"] as const)(
  "P4 records of any size, headers of any script and length, come back as they were, compressed by %s",
  async (compression) => {
    const space = new Space();
    const connection = await space.connect({ compression });
    await declare(connection, "reader", ["any"]);
    const texts = [
      "",
      "a",
      "x".repeat(63),
      "x".repeat(64),
      "x".repeat(20_000),
      "ñandú",
      "日本 🎉",
      `${"x".repeat(62)}ñ`,
    ];
    const sizes = [0, 1, 63, 64, 8_191, 8_192, 100_000, 1_048_576];
    const events = sizes.map((size, index) => {
      const one = event("any");
      const headers = { ...one.headers, [`h-${texts[index]?.slice(0, 70)}`]: texts[index] ?? "", [`n-${index}`]: "ö" };
      return { ...one, headers, body: Buffer.alloc(size, index) };
    });
    await until("they are stored", async () => (await connection.publish(events)).length === 0);
    const got = new Map<string, { headers: Record<string, string>; body: Buffer }>();
    await connection.subscribe("reader", subscribing(50), (delivery) => {
      const headers = Object.fromEntries(
        Object.entries(delivery.event.headers).map(([name, value]) => [name, String(value)]),
      );
      got.set(headers.ce_id ?? "", { headers, body: Buffer.from(delivery.event.body) });
      void delivery.settle({ kind: "done", outputs: [] });
    });
    await until("all are delivered", () => got.size === events.length);
    for (const { id, headers, body } of events) {
      expect(got.get(id)?.headers).toEqual(headers);
      expect(got.get(id)?.body.equals(body)).toBe(true);
    }
  },
);

test("L5 a header that occurs twice survives a retry", async () => {
  const space = new Space();
  const seen: (string | undefined)[] = [];
  const app = space.app({ retries: 1, retryDelay: 50 });
  app.onEvent("twice", { useCase: "reader" }, (_, { headers, attempt }) => {
    seen.push(headers.color);
    if (attempt === 1) throw new Error("once");
  });
  await app.start();
  await produceFrom(brokerUri(), `${space.prefix}.twice`, { value: "{}", headers: { color: ["red", "blue"] } });
  await until("it has come twice", () => seen.length === 2);
  expect(seen).toEqual(["red", "red"]);
});

test("batches are compressed where that makes them smaller", async () => {
  const space = new Space();
  const topic = `${space.prefix}.any`;
  await makeTopic(brokerUri(), topic, {});
  const connection = await space.connect({ compression: "zstd" });
  await until("they are stored", async () => {
    const repeated = event("any", "x".repeat(100_000));
    return (await connection.publish([repeated])).length === 0;
  });
  const client = clientTo(brokerUri());
  onTestFinished(() => client.close());
  const [node = -1] = (await client.metadata([topic])).nodes;
  const fetch = (bytes: number) =>
    client.fetch(node, [{ topic, partition: 0, offset: 0 }], { wait: 0, bytes, bytesPerPartition: bytes });
  const [result] = await fetch(1_000_000);
  expect(result?.records.map(({ value }) => value?.length)).toEqual([100_002]);
  // More than is asked for comes only where the first batch alone is larger: a batch that is smaller comes with its successor.
  await connection.publish([event("any", "next")]);
  expect((await fetch(2_000))[0]?.records.length).toBe(2);
});
