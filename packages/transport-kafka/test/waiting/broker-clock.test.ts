import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { BrokerClock } from "../../src/waiting/broker-clock.ts";

const START = 1_700_000_000_000;
let clock: BrokerClock;
/** The offset of the last record. */
let offset: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
  clock = new BrokerClock();
  offset = 0;
});
afterEach(() => vi.useRealTimers());

const pass = (milliseconds: number) => void vi.advanceTimersByTime(milliseconds);
const read = (time: number) => clock.read(0, (offset += 1), time);
/** Asks, which takes 2 ms each way. */
const ask = (time: number) => {
  const sentAt = performance.now();
  pass(4);
  clock.answered(0, (offset += 1), time - 2, sentAt);
};

test("T2 the broker's time is not known before it was asked, and never ahead of it", () => {
  expect(clock.now(0)).toBe(Number.NEGATIVE_INFINITY);
  expect(read(START)).toBe(false);
  expect(clock.now(0)).toBe(Number.NEGATIVE_INFINITY);
  ask(START + 4);
  expect(clock.now(0)).toBe(START + 2);
  expect(clock.now(1)).toBe(Number.NEGATIVE_INFINITY);
  pass(100);
  expect(read(START + 103)).toBe(false);
  expect(clock.now(0)).toBe(START + 103);
});

test("L9 one record that is ahead changes nothing, and has the broker asked", () => {
  ask(START + 4);
  expect(read(START + 60_000)).toBe(true);
  expect(clock.now(0)).toBe(START + 2);
  ask(START + 8);
  expect(read(START + 8)).toBe(false);
});

test("L9 a clock that is set back is followed at once", () => {
  ask(START + 60_004);
  pass(50);
  expect(read(START)).toBe(true);
  expect(clock.now(0)).toBe(START);
  ask(START + 4);
  expect(read(START + 4)).toBe(false);
  expect(clock.now(0)).toBe(START + 4);
});

test("L9 what was stored before the question, and is read late, says nothing", () => {
  ask(START + 4);
  expect(clock.read(0, 0, START - 3_600_000)).toBe(false);
  expect(clock.now(0)).toBe(START + 2);
});

test("L9 what was confirmed is taken for granted for a second", () => {
  expect(clock.isFresh(0)).toBe(false);
  ask(START);
  pass(900);
  expect(clock.isFresh(0)).toBe(true);
  read(START + 900);
  pass(900);
  expect(clock.isFresh(0)).toBe(true);
  pass(200);
  expect(clock.isFresh(0)).toBe(false);
});
