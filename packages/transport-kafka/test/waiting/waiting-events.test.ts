import { expect, test } from "vitest";
import { Entry, PartitionLog } from "../../src/consuming/partition-log.ts";
import { WaitingEvents } from "../../src/waiting/waiting-events.ts";
import type { FetchedRecord } from "../../src/wire/records.ts";

const log = new PartitionLog({ topic: "delays", partition: 3 }, 0);
const recordAt = (offset: number): FetchedRecord => ({
  offset,
  time: 0,
  key: Buffer.from("5 use case"),
  value: Buffer.alloc(900),
  headers: { name: Buffer.from("value") },
});
/** Each counts for 1,000 bytes. */
const entryAt = (offset: number) => new Entry(log, recordAt(offset));
const offsetsOf = (events: readonly { entry: Entry }[]) => events.map(({ entry }) => entry.record.offset);

test("H9 what is due soon is held whole, a quarter of the room goes to the rest, and of others only the place is held", () => {
  const waiting = new WaitingEvents(8_000);
  for (let offset = 0; offset < 10; offset += 1) waiting.hold(1_000 + offset, entryAt(offset), "use case", false);
  expect(waiting.count).toBe(10);
  expect(waiting.next(3)).toEqual({ whole: 1_000, shed: 1_002 });
  for (let offset = 10; offset < 20; offset += 1) waiting.hold(offset, entryAt(offset), "use case", true);
  expect(waiting.next(3)).toEqual({ whole: 10, shed: 16 });
  const due = waiting.takeDue(() => 500);
  expect(offsetsOf(due)).toEqual([10, 11, 12, 13, 14, 15]);
  for (const event of due) waiting.forget(event);
  expect(waiting.count).toBe(14);
});

test("H9 those that are due next are read again, as many as there is room for, and count for it", () => {
  const waiting = new WaitingEvents(4_000);
  for (let offset = 0; offset < 10; offset += 1) waiting.hold(1_000 - offset, entryAt(offset), "use case", false);
  const next = waiting.takeShed(3, 0);
  expect(offsetsOf(next)).toEqual([9, 8, 7]);
  for (const event of next) {
    expect(event.entry.isShed).toBe(true);
    waiting.holdWhole(event, recordAt(event.entry.record.offset));
    expect(event.entry.record).toMatchObject({ value: Buffer.alloc(900), headers: { name: Buffer.from("value") } });
  }
  // There is no room, but one is read in any case.
  expect(offsetsOf(waiting.takeShed(3, 0))).toEqual([6]);
  expect(waiting.next(3)).toEqual({ whole: 991, shed: 995 });
});

test("T2 of those that are late already the ones are read again that stand together", () => {
  const waiting = new WaitingEvents(4_000);
  for (let offset = 0; offset < 12; offset += 1) waiting.hold((offset * 7) % 12, entryAt(offset), "use case", false);
  expect(offsetsOf(waiting.takeShed(3, 100))).toEqual([1, 2, 3]);
  expect(offsetsOf(waiting.takeShed(3, 100))).toEqual([4, 5, 6]);
});

test("H9 what waits in a partition that has gone to another app is given up, and the rest stays", () => {
  const waiting = new WaitingEvents(4_000);
  const other = new PartitionLog({ topic: "delays", partition: 4 }, 0);
  for (let offset = 0; offset < 6; offset += 1) {
    waiting.hold(offset, entryAt(offset), "use case", true);
    waiting.hold(offset, new Entry(other, recordAt(offset)), "use case", true);
  }
  other.lost = true;
  const lost = waiting.takeLost();
  expect(offsetsOf(lost)).toEqual([0, 1, 2, 3, 4, 5]);
  for (const event of lost) waiting.forget(event);
  expect(waiting.count).toBe(6);
  expect(waiting.next(4)).toEqual({ whole: Number.POSITIVE_INFINITY, shed: Number.POSITIVE_INFINITY });
  expect(waiting.next(3).whole).toBe(0);
});

/** One event that is due soon used to keep all that was fetched with it. */
test("H9 what is held whole keeps nothing else of what came with it", () => {
  const fetched = Buffer.alloc(1_048_576);
  const headers = { one: fetched.subarray(1_000, 1_010), two: [fetched.subarray(1_010, 1_020)] };
  const entry = new Entry(log, {
    ...recordAt(0),
    key: fetched.subarray(0, 10),
    value: fetched.subarray(10, 910),
    headers,
  });
  new WaitingEvents(8_000).hold(1, entry, "use case", true);
  const { key, value, headers: held } = entry.record;
  expect(key).toBeNull();
  expect(value).toEqual(fetched.subarray(10, 910));
  for (const part of [value, held.one, ...(held.two as Buffer[])]) {
    expect(part).toBeInstanceOf(Buffer);
    expect((part as Buffer).buffer).not.toBe(fetched.buffer);
  }
});
