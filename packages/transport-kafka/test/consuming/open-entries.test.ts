import { expect, test } from "vitest";
import { OpenEntries } from "../../src/consuming/open-entries.ts";
import { Entry, PartitionLog } from "../../src/consuming/partition-log.ts";

const log = new PartitionLog({ topic: "t", partition: 0 }, 0);
const entryAt = (offset: number) => new Entry(log, { offset, time: 0, key: null, value: null, headers: {} });

test("H1 open entries stay in the order of their offsets, whatever is done between them", () => {
  const open = new OpenEntries();
  const entries = Array.from({ length: 10_000 }, (_, offset) => entryAt(offset));
  const left = new Set<number>();
  for (const entry of entries) {
    open.add(entry);
    left.add(entry.record.offset);
    // One of seven stays for long.
    for (const done of [entries[entry.record.offset - 3], entries[entry.record.offset - 5_000]]) {
      if (done === undefined || (done.record.offset % 7 === 0 && entry.record.offset - done.record.offset === 3))
        continue;
      open.delete(done);
      open.delete(done);
      left.delete(done.record.offset);
    }
    expect(open.first?.record.offset).toBe(left.values().next().value);
  }
  const [second] = [...open].slice(1);
  if (second === undefined) throw new Error("nothing is open");
  const again = entryAt(second.record.offset);
  open.replace(second, again);
  open.delete(second);
  expect([...open]).toContain(again);
  expect([...open.offsets()]).toEqual([...left]);
});
