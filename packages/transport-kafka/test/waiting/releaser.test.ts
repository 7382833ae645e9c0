import { expect, onTestFinished, test } from "vitest";
import type { Registry } from "../../src/declarations/registry.ts";
import type { Topology } from "../../src/declarations/topology.ts";
import type { Publisher } from "../../src/publishing/publisher.ts";
import { Releaser } from "../../src/waiting/releaser.ts";
import type { TopicPartition } from "../../src/wire/topic-partition.ts";
import { fakeGroup, TOPIC } from "../support/fake-group.ts";
import { until } from "../support/wait.ts";

/** Whoever has the partition by then releases it: both did. */
test("L3 an app whose session has expired releases nothing until the group has told that it is still a member", async () => {
  const record = {
    offset: 0,
    time: 1_000,
    key: Buffer.from("600 mail"),
    value: Buffer.from("{}"),
    headers: {},
  };
  const unanswered: (() => void)[] = [];
  /** When the broker's clock was at 1,000 ms: when the group had been joined. */
  let begun: number | undefined;
  const sinceThen = () => performance.now() - (begun ??= performance.now());
  let isSilent = true;
  const cluster = fakeGroup(
    [record],
    {
      heartbeat: () => (isSilent ? new Promise((resolve) => unanswered.push(resolve)) : Promise.resolve()),
      produce: async (_node, batches) =>
        batches.map(({ topic, partition }) => ({ topic, partition, offset: 1, time: 1_000 + sinceThen() })),
      rights: async () => new Map(),
    },
    {
      target: { sessionTimeout: 300 },
      byLeader: async (partitions: readonly TopicPartition[]) => new Map([[1, partitions]]),
    },
  );
  const released: string[] = [];
  const releaser = new Releaser({
    cluster,
    topology: { delays: { topic: TOPIC }, ensure: async () => {} } as unknown as Topology,
    publisher: {
      requeue: async (records: Parameters<Publisher["requeue"]>[0]) => {
        released.push(...records.map(({ useCase }) => useCase));
        return records.map(() => undefined);
      },
    } as unknown as Publisher,
    registry: { refresh: async () => {}, useCases: [], removed: { include: () => false } } as unknown as Registry,
    maxBytes: 1_000_000,
    maxBuffered: () => 1_000_000,
  });
  onTestFinished(() => releaser.close(1_000));
  releaser.start();
  await until("it has been due for long, and the session is over", () => begun !== undefined && sinceThen() > 1_000);
  expect(released).toEqual([]);
  isSilent = false;
  for (const answer of unanswered) answer();
  await until("it is released", () => released.length > 0);
  expect(released).toEqual(["mail"]);
});
