import { expect, test } from "vitest";
import { ReadAhead } from "../../src/handling/read-ahead.ts";
import type { Clock } from "../../src/transport/clock.ts";

/** Handles so many events one after another, each for so many milliseconds, and gives each limit that was told. */
function handle(readAhead: ReadAhead, clock: { at: number }, duration: number, count: number): number[] {
  const told: number[] = [];
  for (let handled = 0; handled < count; handled += 1) {
    const begun = readAhead.begins();
    clock.at += duration;
    if (readAhead.ended(begun)) told.push(readAhead.limit);
  }
  return told;
}

function readAheadAt(concurrency: number, maxBytes = Number.POSITIVE_INFINITY) {
  const clock = { at: 0 };
  return { clock, readAhead: new ReadAhead(concurrency, maxBytes, { elapsed: () => clock.at } as Clock) };
}

test("reads twice the concurrency ahead, and what all handlers use in 10 ms while they are quick", () => {
  const { readAhead, clock } = readAheadAt(20);
  expect(readAhead.limit).toBe(40);
  expect(handle(readAhead, clock, 0.5, 1_000)).toEqual([400]);
});

test("never reads more than 1,000 ahead, nor less than twice the concurrency", () => {
  const { readAhead, clock } = readAheadAt(20);
  handle(readAhead, clock, 0.01, 1_000);
  expect(readAhead.limit).toBe(1_000);
  handle(readAhead, clock, 500, 1_000);
  expect(readAhead.limit).toBe(40);
});

test("durations that waver tell the broker nothing", () => {
  const { readAhead, clock } = readAheadAt(20);
  handle(readAhead, clock, 0.5, 1_000);
  expect([0.45, 0.6, 0.5, 0.7, 0.45].flatMap((duration) => handle(readAhead, clock, duration, 200))).toEqual([]);
});

test("a clock that stands still changes nothing", () => {
  const { readAhead, clock } = readAheadAt(20);
  expect(handle(readAhead, clock, 0, 1_000)).toEqual([]);
  expect(readAhead.limit).toBe(40);
});
