import { expect, onTestFinished, test } from "vitest";
import type { Commit } from "../../src/client/kafka-client.ts";
import type { GroupMember } from "../../src/consuming/group-member.ts";
import { OffsetCommits } from "../../src/consuming/offset-commits.ts";
import { PartitionLog } from "../../src/consuming/partition-log.ts";

const record = (offset: number) => ({ offset, time: 0, key: null, value: null, headers: {} });

function committing(logs: readonly PartitionLog[]) {
  const sent: (readonly Commit[])[] = [];
  const broker = { problem: undefined as Error | undefined };
  const commit = async (commits: readonly Commit[]) => {
    sent.push(commits);
    if (broker.problem !== undefined) throw broker.problem;
  };
  const commits = new OffsetCommits({
    member: { commit } as unknown as GroupMember,
    logs: () => logs,
    accepted: () => true,
    onStored: () => {},
    onFailed: () => {},
  });
  onTestFinished(() => commits.close());
  return { commits, sent, broker };
}

function settleOne(log: PartitionLog, commits: OffsetCommits): void {
  log.add([record(log.position)], log.position + 1);
  const entry = log.next();
  if (entry !== undefined) log.settle(entry);
  commits.settled();
}

test("H1 what has changed is committed, again after a failure, and everything at the end", async () => {
  const logs = [0, 1, 2].map((partition) => new PartitionLog({ topic: "t", partition }, 0));
  const { commits, sent, broker } = committing(logs);
  const [first] = logs;
  if (first === undefined) throw new Error("no log");
  commits.schedule();
  await commits.commit();
  settleOne(first, commits);
  broker.problem = new Error("away");
  await expect(commits.commit()).rejects.toThrow("away");
  broker.problem = undefined;
  await commits.commit();
  expect(commits.waiting).toBe(0);
  await commits.end(() => true);
  expect(sent.map((each) => each.map(({ partition, offset }) => `${partition}:${offset}`))).toEqual([
    ["0:0", "1:0", "2:0"],
    ["0:1"],
    ["0:1"],
  ]);
});

test("H1 no more than a thousand settlements wait for the next commit's turn", () => {
  const log = new PartitionLog({ topic: "t", partition: 0 }, 0);
  const { commits, sent } = committing([log]);
  for (let number = 0; number < 999; number += 1) settleOne(log, commits);
  expect(sent).toEqual([]);
  settleOne(log, commits);
  expect(sent.map(([commit]) => commit?.offset)).toEqual([1_000]);
});
