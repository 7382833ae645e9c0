import { expect, onTestFinished, test, vi } from "vitest";
import type { Commit } from "../../src/client/kafka-client.ts";
import type { GroupMember } from "../../src/consuming/group-member.ts";
import { OffsetCommits } from "../../src/consuming/offset-commits.ts";
import { PartitionLog } from "../../src/consuming/partition-log.ts";
import { KafkaError } from "../../src/wire/kafka-error.ts";

const record = (offset: number) => ({ offset, time: 0, key: null, value: null, headers: {} });

function committing(logs: readonly PartitionLog[]) {
  const sent: (readonly Commit[])[] = [];
  const broker = { problem: undefined as Error | undefined, refuses: -1 };
  const commit = async (commits: readonly Commit[]) => {
    sent.push(commits);
    if (broker.problem !== undefined) throw broker.problem;
    const error = new KafkaError("TOPIC_AUTHORIZATION_FAILED", "not allowed", false);
    return commits.filter(({ partition }) => partition === broker.refuses).map((each) => ({ ...each, error }));
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

/** All of them used to count as not committed, so that after a second nothing of any topic was handled. */
test("H8 a partition whose commit is refused holds up no other one, and shows until it is stored", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const [first, second] = [0, 1].map((partition) => new PartitionLog({ topic: "t", partition }, 0));
  if (first === undefined || second === undefined) throw new Error("no logs");
  const { commits, sent, broker } = committing([first, second]);
  broker.refuses = 1;
  for (const log of [first, second]) settleOne(log, commits);
  await commits.commit();
  vi.advanceTimersByTime(6_000);
  expect([commits.waiting, commits.overdue]).toEqual([0, 0]);
  commits.now();
  expect(sent).toHaveLength(1);
  expect(commits.problem).toBe("t [1] is held up: what is done in it cannot be committed: not allowed");
  settleOne(first, commits);
  await commits.commit();
  await expect(commits.end(() => true)).rejects.toThrow("not allowed");
  broker.refuses = -1;
  await commits.end(() => true);
  expect(commits.problem).toBeUndefined();
  expect(sent.map((each) => each.map(({ partition, offset }) => `${partition}:${offset}`))).toEqual([
    ["0:1", "1:1"],
    ["0:2", "1:1"],
    ["1:1"],
    ["1:1"],
  ]);
});
