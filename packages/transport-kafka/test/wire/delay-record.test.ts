import { expect, test } from "vitest";
import { DELAY_PARTITIONS, delayPartition, encodeDelay, readDelay } from "../../src/wire/delay-record.ts";

const recordOf = (key: string | null) => ({
  offset: 0,
  time: 0,
  key: key === null ? null : Buffer.from(key),
  value: null,
  headers: {},
});

test("T2 a delay is read back as it was, rounded up", () => {
  expect(readDelay(recordOf(encodeDelay({ useCase: "send mail", delay: 1_500.2 })))).toEqual({
    useCase: "send mail",
    delay: 1_501,
  });
});

test("L5 keys of other programs, and records that only carry the time, are no delays", () => {
  for (const key of [null, "", "soon mail", "-5 mail", "100", "100 "]) expect(readDelay(recordOf(key))).toBeUndefined();
});

test("T3 each delay has a partition, and a longer one never an earlier partition", () => {
  const partitions = [0, 2_000, 2_001, 60_000, 86_400_000, Number.MAX_SAFE_INTEGER].map(delayPartition);
  expect(partitions).toEqual(partitions.toSorted((a, b) => a - b));
  expect(new Set(partitions).size).toBe(4);
  expect(Math.max(...partitions)).toBe(DELAY_PARTITIONS - 1);
});
