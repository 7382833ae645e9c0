import { expect, test } from "vitest";
import { AssignedPartitions } from "../../src/consuming/assigned-partitions.ts";

const source = { topic: "t", partition: 0 };
const record = (offset: number) => ({ offset, time: 0, key: null, value: null, headers: {} });

function assigned(partitions: AssignedPartitions, offset: number, metadata = "") {
  partitions.assign([source], [{ ...source, offset, metadata }]);
  const [log] = partitions.list;
  if (log === undefined) throw new Error("no partition");
  return log;
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
