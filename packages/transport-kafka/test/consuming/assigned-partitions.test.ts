import { expect, test } from "vitest";
import { AssignedPartitions } from "../../src/consuming/assigned-partitions.ts";
import { type Entry, PartitionLog } from "../../src/consuming/partition-log.ts";

const source = { topic: "t", partition: 0 };
const record = (offset: number) => ({ offset, time: 0, key: null, value: null, headers: {} });

function assigned(partitions: AssignedPartitions, offset: number, metadata = "") {
  partitions.assign([source], [{ ...source, offset, metadata }]);
  const [log] = partitions.list;
  if (log === undefined) throw new Error("no partition");
  return log;
}

function entriesOf(log: PartitionLog): Entry[] {
  const entries: Entry[] = [];
  for (let entry = log.next(); entry !== undefined; entry = log.next()) entries.push(entry);
  return entries;
}

test("L3 what was delivered of a topic that was created again is lost", () => {
  const partitions = new AssignedPartitions(
    () => 0,
    () => undefined,
    undefined,
  );
  const old = assigned(partitions, 5);
  old.add([record(5)], 6);
  old.next();
  partitions.replace(source, 0);
  expect(old.lost).toBe(true);
  const [log] = partitions.list;
  expect(log?.position).toBe(0);
  expect(log?.unsettled).toBe(0);
});

test("L3 a partition that belongs to somebody else by now is not replaced", () => {
  const partitions = new AssignedPartitions(
    () => 0,
    () => undefined,
    undefined,
  );
  assigned(partitions, 5);
  partitions.assign([], []);
  partitions.replace(source, 0);
  expect(partitions.list).toEqual([]);
});

test("T6 what this instance had handed out itself did not come back from a death", () => {
  const partitions = new AssignedPartitions(
    () => 0,
    () => undefined,
    () => 10,
  );
  const log = assigned(partitions, 5);
  log.add([record(5), record(6)], 7);
  log.commit(false).stored();
  const entry = log.next();
  if (entry !== undefined) log.drop(entry);
  const { offset, metadata } = log.commit(false);
  expect(assigned(partitions, offset, metadata).redeliveriesOf(5)).toBe(0);
  expect(
    assigned(
      new AssignedPartitions(
        () => 0,
        () => undefined,
        undefined,
      ),
      offset,
      metadata,
    ).redeliveriesOf(5),
  ).toBe(1);
});

test("H1 a partition that is read again goes on where it stands, though no commit says so", () => {
  const partitions = new AssignedPartitions(
    () => 0,
    () => undefined,
    undefined,
  );
  const log = assigned(partitions, 5);
  log.add([5, 6, 7, 8].map(record), 9);
  const [first, second, third, last] = entriesOf(log);
  if (first === undefined || second === undefined || third === undefined || last === undefined) throw new Error("none");
  log.settle(first);
  log.drop(second);
  log.settle(third);
  const again = assigned(partitions, 5);
  expect(again.position).toBe(6);
  expect([6, 7, 8].filter((each) => again.wasDone(each))).toEqual([7]);
  again.add([record(6), record(8)], 9);
  expect(entriesOf(again).map((entry) => entry.record.offset)).toEqual([6]);
  last.log.settle(last);
  expect(again.mark).toBe(6);
});

test("H1 what another member did in a partition that comes back is not done again", () => {
  for (const noticed of [true, false]) {
    const partitions = new AssignedPartitions(
      () => 0,
      () => undefined,
      undefined,
    );
    const log = assigned(partitions, 5);
    log.add([5, 6].map(record), 7);
    entriesOf(log);
    const others = new PartitionLog(source, 5);
    others.add([5, 6, 7, 8].map(record), 9);
    for (const entry of entriesOf(others).slice(2)) others.settle(entry);
    if (noticed) partitions.assign([], []);
    const { offset, metadata } = others.commit(false);
    const back = assigned(partitions, offset, metadata);
    expect([5, 6, 7, 8].filter((each) => back.wasDone(each))).toEqual([7, 8]);
    back.add([record(5), record(6), record(9)], 10);
    expect(entriesOf(back).map((entry) => entry.record.offset)).toEqual([9]);
    expect(back.unsettled).toBe(3);
  }
});

/** Waiting events that another app had released used to be released once more. */
test("L3 of a partition that comes back unnoticed, what another member has done meanwhile is lost, and the rest goes on", () => {
  const partitions = new AssignedPartitions(
    () => 0,
    () => undefined,
    undefined,
  );
  const log = assigned(partitions, 5);
  log.add([5, 6, 7].map(record), 8);
  const [first, second, third] = entriesOf(log);
  const others = new PartitionLog(source, 5);
  others.add([5, 6, 7].map(record), 8);
  for (const entry of entriesOf(others)) if (entry.record.offset !== 6) others.settle(entry);
  const { offset, metadata } = others.commit(false);
  const back = assigned(partitions, offset, metadata);
  expect([first, second, third].map((entry) => entry?.log.lost)).toEqual([true, false, true]);
  expect(second?.log).toBe(back);
});
