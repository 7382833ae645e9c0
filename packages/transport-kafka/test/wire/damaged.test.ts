import { expect, test, vi } from "vitest";
import { readFetch } from "../../src/wire/fetch-response.ts";
import { encodeProduce } from "../../src/wire/produce-request.ts";
import { makeTopic, produceFrom } from "../support/admin.ts";
import { brokerUri, quiet, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

/** How often a batch is still to be damaged that holds this text. */
const damages = vi.hoisted(
  () =>
    new Map([
      ["damaged in passing", 2],
      ["damaged for long", 3],
    ]),
);

/** Damages what is fetched, whose batches begin their buffers; the broker takes nothing that is damaged. */
vi.mock("../../src/wire/crc32c.ts", async (original) => {
  const { crc32c } = await original<typeof import("../../src/wire/crc32c.ts")>();
  return {
    crc32c: (bytes: Buffer, from: number, to: number) => {
      const sum = crc32c(bytes, from, to);
      for (const [text, left] of from === 21 ? damages : []) {
        if (left === 0 || !bytes.includes(text)) continue;
        damages.set(text, left - 1);
        return (sum ^ 1) >>> 0;
      }
      return sum;
    },
  };
});

test("L5 a batch that is damaged on its way is fetched again, one that stays so is a dead letter, and what follows is handled", async () => {
  const space = new Space();
  const topic = `${space.prefix}.foreign`;
  await makeTopic(brokerUri(), topic, {});
  const error = vi.fn();
  const app = space.app({ logger: { ...quiet, error } });
  const payloads: unknown[] = [];
  app.onEvent("foreign", { useCase: "reader" }, (payload) => void payloads.push(payload));
  await app.start();
  const publish = (text: string) => produceFrom(brokerUri(), topic, { value: JSON.stringify(text) });
  // One after the other, so that each is the first of a fetch.
  await publish("damaged in passing");
  await until("it is handled", () => payloads.length === 1);
  await publish("damaged for long");
  const letters = app.deadLetters("reader");
  await until("it is dead", async () => (await letters.count()) === 1);
  await publish("whole");
  await until("the last is handled", () => payloads.length === 2);
  expect(payloads).toEqual(["damaged in passing", "whole"]);
  const [letter] = (await letters.list()).items;
  expect(Buffer.from(letter?.body ?? []).toString("latin1")).toContain("damaged for long");
  expect(JSON.stringify(error.mock.calls)).toContain("its checksum is wrong");
});

/** A Fetch response, version 11, of one partition. */
function responseWith(...batches: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(4 + 2 + 4 + 4 + 2 + 1 + 4 + 4 + 2 + 8 * 3 + 4 + 4 + 4);
  head.writeInt32BE(1, 10);
  head.writeInt16BE(1, 14);
  head.write("t", 16);
  head.writeInt32BE(1, 17);
  head.writeInt32BE(
    batches.reduce((sum, { length }) => sum + length, 0),
    head.length - 4,
  );
  return Buffer.concat([head, ...batches]);
}

function batchOf(offset: number, ...values: readonly string[]): Buffer {
  const records = values.map((value) => ({ key: null, value: Buffer.from(value) }));
  const body = encodeProduce([{ topic: "t", partitions: [{ topic: "t", partition: 0, records }] }], 0);
  const batch = Buffer.from(body.subarray(2 + 2 + 4 + 4 + 2 + 1 + 4 + 4 + 4));
  batch.writeBigInt64BE(BigInt(offset), 0);
  return batch;
}

test("L5 what comes before a damaged batch is read, and it comes first in the next fetch", () => {
  const [first, second] = [batchOf(0, "a", "b"), batchOf(2, "c", "d")];
  second[second.length - 2] = 0;
  const read = (offset: number, ...batches: readonly Buffer[]) => {
    const [result] = readFetch(responseWith(...batches), 11, [{ topic: "t", partition: 0, offset }]);
    return [result?.next, result?.damaged, result?.records.map(({ unreadable, value }) => unreadable ?? String(value))];
  };
  expect(read(0, first, second)).toEqual([2, false, ["a", "b"]]);
  expect(read(2, second, batchOf(4, "e"))).toEqual([4, true, ["its checksum is wrong"]]);
  const short = batchOf(0, "a");
  short.writeInt32BE(-100, 8);
  expect(read(0, short)).toEqual([0, false, []]);
});
