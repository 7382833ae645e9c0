import { expect, test } from "vitest";
import { doneRecord, readDoneRecord, readPointer, withPointer } from "../../src/wire/done-record.ts";
import { encodeRuns, encodeUnfitRuns, readRuns, runsBetween } from "../../src/wire/done-runs.ts";
import { isOfOtherTopic, withTopicId } from "../../src/wire/topic-id.ts";

test("T2 what a commit has no room for is told by a record, to which its metadata points", () => {
  const committed = 7_000_000;
  const open = Array.from({ length: 5_000 }, (_, index) => committed + index * 3);
  const further = readRuns(committed + 15_000, "1,100,200");
  const runs = [...runsBetween(committed, committed + 15_000, open)];
  const text = encodeUnfitRuns(committed, [...runs, ...further], 900_000) ?? "";
  const { key, value } = doneRecord(committed, text);
  const done = readDoneRecord({ key: Buffer.from(String(key)), value: Buffer.from(value ?? []) });
  const metadata = withTopicId(withPointer(encodeRuns(committed, runs), 123_456), 99);
  expect(readPointer(metadata)).toBe(123_456);
  expect(isOfOtherTopic(metadata, 99)).toBe(false);
  const all = readRuns(committed, metadata).and(done);
  for (let offset = committed; offset < committed + 15_000; offset += 1)
    expect(all.has(offset), String(offset)).toBe((offset - committed) % 3 !== 0);
  expect(all.count).toBe(10_000 + further.count);
  expect(all.end).toBe(further.end);
});

test("T2 what fits needs no record, and what is none tells nothing", () => {
  expect(encodeUnfitRuns(5, runsBetween(5, 100, [5, 50]), 900_000)).toBeUndefined();
  expect(readPointer(withTopicId(encodeRuns(5, runsBetween(5, 100, [5, 50])), 1))).toBeUndefined();
  expect(readPointer(withPointer("", 0))).toBe(0);
  for (const [key, value] of [
    ["5 use case", "{}"],
    ["done", "?"],
    ["done", ""],
  ] as const)
    expect(readDoneRecord({ key: Buffer.from(key), value: Buffer.from(value) }).empty).toBe(true);
});
