import { expect, test } from "vitest";
import { ReadAhead } from "../../src/handling/read-ahead.ts";
import type { Clock } from "../../src/transport/clock.ts";

/** Handles events at a rate for so many milliseconds, and gives each limit that was told. */
function handle(readAhead: ReadAhead, clock: { at: number }, perMillisecond: number, milliseconds: number): number[] {
  const told: number[] = [];
  for (let handled = 0; handled < perMillisecond * milliseconds; handled += 1) {
    clock.at += 1 / perMillisecond;
    if (readAhead.handledOne()) told.push(readAhead.limit);
  }
  return told;
}

function readAheadAt(concurrency: number) {
  const clock = { at: 0 };
  return { clock, readAhead: new ReadAhead(concurrency, { elapsed: () => clock.at } as Clock) };
}

test("reads twice the concurrency ahead, and what 10 ms of handling uses while handlers are quick", () => {
  const { readAhead, clock } = readAheadAt(20);
  expect(readAhead.limit).toBe(40);
  expect(handle(readAhead, clock, 50, 100)).toHaveLength(1);
  expect(readAhead.limit).toBeGreaterThan(450);
  expect(readAhead.limit).toBeLessThan(550);
});

test("never reads more than 1,000 ahead, nor less than twice the concurrency", () => {
  const { readAhead, clock } = readAheadAt(20);
  handle(readAhead, clock, 1_000, 100);
  expect(readAhead.limit).toBe(1_000);
  handle(readAhead, clock, 0.5, 1_000);
  expect(readAhead.limit).toBe(40);
});

test("a rate that wavers tells the broker nothing", () => {
  const { readAhead, clock } = readAheadAt(20);
  handle(readAhead, clock, 50, 100);
  const wavering = [40, 55, 35, 60, 45].flatMap((rate) => handle(readAhead, clock, rate, 50));
  expect(wavering).toEqual([]);
});
