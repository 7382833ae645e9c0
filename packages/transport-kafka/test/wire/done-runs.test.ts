import { expect, test } from "vitest";
import { encodeRuns, readRuns, runsBetween } from "../../src/wire/done-runs.ts";

function doneOf(committed: number, examined: number, open: readonly number[]): number[] {
  const runs = readRuns(committed, encodeRuns(committed, runsBetween(committed, examined, open)));
  return Array.from({ length: examined - committed + 5 }, (_, index) => committed + index).filter((offset) =>
    runs.has(offset),
  );
}

test("H1 what is done above the mark is read back as it was", () => {
  for (let round = 0; round < 300; round += 1) {
    const committed = Math.floor(Math.random() * 1_000_000_000);
    const length = Math.floor(Math.random() * 60);
    const all = Array.from({ length }, (_, index) => committed + index);
    const open = all.filter((offset) => offset === committed || Math.random() < 0.4);
    const expected = all.filter((offset) => !open.includes(offset));
    expect(doneOf(committed, committed + length, open)).toEqual(expected);
  }
});

test("H1 what exceeds the broker's limit is omitted at the end, and the rest is correct", () => {
  const committed = 5_000_000_000;
  const open = Array.from({ length: 5_000 }, (_, index) => committed + index * 3);
  const text = encodeRuns(committed, runsBetween(committed, committed + 15_000, open));
  expect(text.length).toBeLessThanOrEqual(4_000);
  const runs = readRuns(committed, text);
  expect(runs.count).toBeGreaterThan(1_000);
  for (const offset of open) expect(runs.has(offset)).toBe(false);
});

test("L5 metadata that another program committed is ignored", () => {
  for (const text of ["", "hello", "2,1,1", "1,?,3", "1,-4,2", "1,1"]) expect(readRuns(10, text).empty).toBe(true);
});
