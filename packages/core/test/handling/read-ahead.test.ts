import { describe, expect, test } from "vitest";
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

describe("H9 where events are large", () => {
  const MIB = 1_048_576;

  test("fewer are read ahead, at once, so that they fit the bytes", () => {
    const { readAhead } = readAheadAt(20, 8 * MIB);
    expect(readAhead.received(1_000)).toBe(false);
    expect(readAhead.received(MIB)).toBe(true);
    expect(readAhead.limit).toBe(8);
    expect(readAhead.received(2 * MIB)).toBe(true);
    expect(readAhead.limit).toBe(4);
    // The same again changes nothing.
    expect(readAhead.received(2 * MIB)).toBe(false);
  });

  test("one at least is read ahead, also where it alone has more than all the bytes", () => {
    const { readAhead } = readAheadAt(20, 1_000);
    expect(readAhead.received(MIB)).toBe(true);
    expect(readAhead.limit).toBe(1);
  });

  test("small events are not measured, and change nothing", () => {
    const { readAhead } = readAheadAt(20, 10_000);
    for (let index = 0; index < 100; index += 1) expect(readAhead.received(4_096)).toBe(false);
    expect(readAhead.limit).toBe(40);
  });

  test("quick handlers do not raise the limit beyond what fits", () => {
    const { readAhead, clock } = readAheadAt(20, 100 * MIB);
    readAhead.received(MIB);
    handle(readAhead, clock, 0.01, 1_000);
    expect(readAhead.limit).toBe(100);
  });

  test("they are forgotten slowly: one small event among large ones lets nothing more in", () => {
    const { readAhead, clock } = readAheadAt(20, 8 * MIB);
    readAhead.received(MIB);
    for (let index = 0; index < 3; index += 1) {
      readAhead.received(100);
      handle(readAhead, clock, 1, 100);
    }
    expect(readAhead.limit).toBeLessThanOrEqual(12);
    for (let index = 0; index < 300; index += 1) readAhead.received(100);
    handle(readAhead, clock, 1, 1_000);
    expect(readAhead.limit).toBe(200);
  });
});
