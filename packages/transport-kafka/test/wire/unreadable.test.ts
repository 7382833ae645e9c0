import { expect, test, vi } from "vitest";
import { makeTopic, produceFrom } from "../support/admin.ts";
import { brokerUri, quiet, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

vi.mock("../../src/wire/compression.ts", () => ({
  compressionName: () => "lz5",
  decompress: () => {
    throw new RangeError("not known here");
  },
}));

/** It used to hold its partition up for ever, and to slow all others. */
test("L5 a batch that cannot be read becomes a dead letter with its bytes, and what follows is handled", async () => {
  const space = new Space();
  const topic = `${space.prefix}.foreign`;
  await makeTopic(brokerUri(), topic, { "compression.type": "lz4" });
  const error = vi.fn();
  const app = space.app({ logger: { ...quiet, error } });
  const payloads: unknown[] = [];
  app.onEvent("foreign.made", { useCase: "reader" }, (payload) => void payloads.push(payload));
  await app.start();
  await produceFrom(brokerUri(), topic, { value: '"unreadable"' });
  await until("it is a dead letter", async () => (await app.deadLetters("reader").list()).items.length === 1);
  const [letter] = (await app.deadLetters("reader").list()).items;
  expect(JSON.stringify(error.mock.calls)).toContain("lz5: not known here");
  expect(letter).toMatchObject({ reason: "unknown-event" });
  // The batch, whose bytes 16 and 22 tell its format and its compression.
  const body = Buffer.from(letter?.body ?? []);
  expect([body.readInt8(16), body.readInt8(22) & 7]).toEqual([2, 3]);
  await produceFrom(brokerUri(), topic, { value: '"unreadable too"' });
  await until("the next is one too", async () => (await app.deadLetters("reader").list()).items.length === 2);
  expect(payloads).toEqual([]);
});
