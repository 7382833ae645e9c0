import { expect, test } from "vitest";
import { type Entry, PartitionLog } from "../../src/consuming/partition-log.ts";
import type { FetchedRecord } from "../../src/wire/records.ts";

const source = { topic: "t", partition: 0 };
const record = (offset: number): FetchedRecord => ({ offset, time: 0, key: null, value: null, headers: {} });
const all = (log: PartitionLog): Entry[] => {
  const entries: Entry[] = [];
  for (let entry = log.next(); entry !== undefined; entry = log.next()) entries.push(entry);
  return entries;
};

test("H1 the mark is the lowest offset that is not done, whatever the order", () => {
  const log = new PartitionLog(source, 10);
  log.add([10, 11, 12, 14].map(record), 20);
  expect(log.mark).toBe(10);
  const [a, b, c, d] = all(log);
  expect(log.mark).toBe(10);
  if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error("no entries");
  log.settle(b);
  log.settle(d);
  expect(log.mark).toBe(10);
  log.settle(a);
  expect(log.mark).toBe(12);
  log.settle(c);
  expect(log.mark).toBe(20);
  expect(log.unsettled).toBe(0);
});

test("H1 skipped records move the mark only when those before them are done", () => {
  const log = new PartitionLog(source, 0);
  log.add([record(0)], 1);
  log.add([], 50);
  const [first] = all(log);
  expect(log.mark).toBe(0);
  if (first !== undefined) log.settle(first);
  expect(log.mark).toBe(50);
});

test("L2 a released entry is delivered again, before what comes after it", () => {
  const log = new PartitionLog(source, 0);
  log.add([0, 1, 2].map(record), 3);
  const [first, second] = [log.next(), log.next()];
  if (first === undefined || second === undefined) throw new Error("no entries");
  log.release(second);
  log.release(first);
  expect(log.mark).toBe(0);
  expect(all(log).map(({ record: { offset } }) => offset)).toEqual([0, 1, 2]);
});

test("H3 a replay joins the handler that is still running, and skips what has ended meanwhile", () => {
  const earlier = new PartitionLog(source, 0);
  earlier.add([0, 1, 2].map(record), 3);
  const [a, b, c] = all(earlier);
  if (a === undefined || b === undefined || c === undefined) throw new Error("no entries");
  earlier.settle(a);
  earlier.lost = true;
  const log = new PartitionLog(source, 1);
  log.adopt(earlier);
  expect(log.unsettled).toBe(2);
  c.log.settle(c);
  log.add([1, 2, 3].map(record), 4);
  expect(all(log).map(({ record: { offset } }) => offset)).toEqual([3]);
  expect(log.unsettled).toBe(2);
  expect(log.mark).toBe(1);
  b.log.settle(b);
  expect(log.mark).toBe(3);
});

test("H1 what is given back, or not stored, before its replay comes is delivered by the replay", () => {
  const earlier = new PartitionLog(source, 0);
  earlier.add([0, 1].map(record), 2);
  const [a, b] = all(earlier);
  if (a === undefined || b === undefined) throw new Error("no entries");
  const log = new PartitionLog(source, 0);
  log.adopt(earlier);
  a.log.release(a);
  b.log.drop(b);
  expect(log.unsettled).toBe(0);
  log.add([0, 1].map(record), 2);
  expect(all(log).map(({ record: { offset } }) => offset)).toEqual([0, 1]);
});

test("H1 what is done above an open entry stays known while the partition is read again", () => {
  const first = new PartitionLog(source, 0);
  first.add([0, 1, 2, 3, 4].map(record), 5);
  for (const entry of all(first)) if (entry.record.offset > 0 && entry.record.offset !== 3) first.settle(entry);
  const taken = new PartitionLog(source, 0, { metadata: first.commit(false).metadata });
  // It dies, or gives the partition up, before it has come to what is done.
  const { offset, metadata } = taken.commit(false);
  const last = new PartitionLog(source, offset, { metadata });
  expect([0, 1, 2, 3, 4].filter((each) => last.wasDone(each))).toEqual([1, 2, 4]);
});

test("H1 what was given back and not delivered again is delivered when it is read again", () => {
  const earlier = new PartitionLog(source, 0);
  earlier.add([0, 1].map(record), 2);
  const [a, b] = all(earlier);
  if (a === undefined || b === undefined) throw new Error("no entries");
  earlier.release(a, performance.now() + 60_000);
  earlier.drop(b);
  const log = new PartitionLog(source, 0);
  log.adopt(earlier);
  log.add([0, 1].map(record), 2);
  expect(all(log).map(({ record: { offset } }) => offset)).toEqual([0, 1]);
});

test("H3 a replay joins a handler that runs since before the replay that was not read", () => {
  const first = new PartitionLog(source, 0);
  first.add([0, 1].map(record), 2);
  const [a] = all(first);
  const second = new PartitionLog(source, 0);
  second.adopt(first);
  const third = new PartitionLog(source, 0);
  third.adopt(second);
  third.add([0, 1, 2].map(record), 3);
  expect(all(third).map(({ record: { offset } }) => offset)).toEqual([2]);
  expect(a?.log).toBe(third);
});

test("H1 a new owner skips what the commit reports as done", () => {
  const log = new PartitionLog(source, 0);
  log.add([0, 1, 2, 3, 4].map(record), 5);
  for (const entry of all(log)) if (entry.record.offset % 2 === 1) log.settle(entry);
  const { offset, metadata } = log.commit(false);
  const next = new PartitionLog(source, offset, { metadata });
  expect([0, 1, 2, 3, 4].filter((each) => next.wasDone(each))).toEqual([1, 3]);
});

test("T6 nothing is handed out before a commit has announced it, and nothing after a commit that ends", () => {
  const log = new PartitionLog(source, 0, { announces: () => 4 });
  log.add([0, 1, 2, 3, 4, 5].map(record), 6);
  const offsets = () => all(log).map((entry) => entry.record.offset);
  expect(offsets()).toEqual([]);
  expect(log.wantsAnnouncement).toBe(true);
  const first = log.commit(false);
  expect(offsets()).toEqual([]);
  first.stored();
  expect(offsets()).toEqual([0, 1, 2, 3]);
  expect(log.wantsAnnouncement).toBe(true);
  log.commit(true).stored();
  expect(offsets()).toEqual([]);
  log.commit(false).stored();
  expect(offsets()).toEqual([4, 5]);
});

test("T6 a new owner takes what was announced for redelivered, but not after a clean end", () => {
  const log = new PartitionLog(source, 10, { announces: () => 4 });
  log.add([record(10)], 11);
  const announced = log.commit(false);
  announced.stored();
  all(log);
  const next = ({ offset, metadata }: { offset: number; metadata: string }, takenOver = true) => {
    const taken = new PartitionLog(source, offset, { metadata, takenOver, announces: () => 4 });
    return [10, 13, 14].map((each) => taken.redeliveriesOf(each));
  };
  expect(next(announced)).toEqual([1, 1, 0]);
  expect(next(announced, false)).toEqual([0, 0, 0]);
  expect(next(log.commit(true))).toEqual([0, 0, 0]);
});

test("T6 what did not exist when a partition was taken over has not come back, whatever was announced", () => {
  const owner = new PartitionLog(source, 10, { announces: () => 50 });
  owner.commit(false).stored();
  const { offset, metadata } = owner.commit(false);
  const taken = new PartitionLog(source, offset, { metadata, takenOver: true, announces: () => 50 });
  taken.endsAt(12);
  taken.endsAt(40);
  expect([10, 11, 12, 30].map((each) => taken.redeliveriesOf(each))).toEqual([1, 1, 0, 0]);
  const next = taken.commit(false);
  const again = new PartitionLog(source, next.offset, { metadata: next.metadata, takenOver: true });
  again.endsAt(40);
  expect([11, 12, 39, 40].map((each) => again.redeliveriesOf(each))).toEqual([2, 1, 1, 0]);
});

test("H9 what is done behind an open entry is not kept", () => {
  const log = new PartitionLog(source, 0);
  log.add([0, 1, 2].map(record), 3);
  const [first, ...others] = all(log);
  for (const entry of others) log.settle(entry);
  expect(log.commit(false).metadata).not.toBe("");
  if (first !== undefined) log.settle(first);
  expect(log.commit(false)).toMatchObject({ offset: 3, metadata: "" });
});
