import { expect, onTestFinished, test, vi } from "vitest";
import { KafkajsClient } from "../../src/client/kafkajs-client.ts";
import { HeldUpPartitions } from "../../src/consuming/held-up-partitions.ts";
import { KafkaError } from "../../src/wire/kafka-error.ts";
import { declare, event, Space, subscribing } from "../support/space.ts";
import { until } from "../support/wait.ts";

const partition = (number: number) => ({ topic: "t", partition: number });

test("L6 a partition is held up when it has not got on for some time, and not any more when it does", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const heldUp = new HeldUpPartitions();
  heldUp.note(partition(1), "no leader");
  expect(heldUp.problem).toBeUndefined();
  vi.advanceTimersByTime(6_000);
  expect(heldUp.problem).toBe("t [1] is held up: no leader");
  heldUp.note(partition(1), "refused");
  heldUp.note(partition(2), "no leader");
  expect(heldUp.problem).toBe("t [1] is held up: refused");
  vi.advanceTimersByTime(6_000);
  expect(heldUp.problem).toContain("1 more");
  heldUp.over(partition(1));
  expect(heldUp.problem).toBe("t [2] is held up: no leader");
  heldUp.keepOnly([partition(1)]);
  expect(heldUp.problem).toBeUndefined();
});

async function consuming(space: Space) {
  const problems = new Map<string, string | undefined>();
  const connection = await space.connect({}, { onProblem: (subject, problem) => problems.set(subject, problem) });
  await declare(connection, "reader", ["in", "foreign"]);
  let handled = 0;
  await connection.subscribe("reader", subscribing(10), (delivery) => {
    handled += 1;
    void delivery.settle({ kind: "done", outputs: [] });
  });
  return { connection, problem: () => problems.get('consuming "reader"'), handled: () => handled };
}

test("L6 commits that the broker refuses show, until they get through", async () => {
  const space = new Space();
  const { connection, problem, handled } = await consuming(space);
  const spy = vi.spyOn(KafkajsClient.prototype, "commit").mockImplementation(async () => {
    throw new KafkaError("GROUP_LOAD_IN_PROGRESS", "the coordinator is loading", true);
  });
  await connection.publish(Array.from({ length: 200 }, () => event("in")));
  await until("it shows", () => problem()?.includes("the coordinator is loading") === true);
  // Of those that are done without a commit there are no more than are read ahead, or are handled within a second.
  expect(handled()).toBeLessThanOrEqual(200);
  spy.mockRestore();
  await until("it is over", () => problem() === undefined);
  await until("all are handled", () => handled() === 200);
});

test("L6 a group that cannot be joined shows, until it is", async () => {
  const space = new Space();
  const { connection, problem, handled } = await consuming(space);
  const spies = (["heartbeat", "join"] as const).map((name) =>
    vi.spyOn(KafkajsClient.prototype, name).mockImplementation(async () => {
      throw new KafkaError("UNKNOWN_MEMBER_ID", "the member is not known", true);
    }),
  );
  await until("it shows", () => problem()?.includes("cannot be joined") === true);
  for (const spy of spies) spy.mockRestore();
  await connection.publish([event("in")]);
  await until("it is over", () => problem() === undefined && handled() === 1);
});

test("L6 a partition that cannot be read shows", async () => {
  const space = new Space();
  const { connection, problem, handled } = await consuming(space);
  const topic = `${space.prefix}.foreign`;
  const fetch = KafkajsClient.prototype.fetch;
  const spy = vi.spyOn(KafkajsClient.prototype, "fetch").mockImplementation(async function (
    this: KafkajsClient,
    ...request
  ) {
    const error = new KafkaError("KAFKA_STORAGE_ERROR", "the disk is gone", true);
    const results = await fetch.apply(this, request);
    return results.map((each) => (each.topic === topic && each.partition === 0 ? { ...each, error } : each));
  });
  await connection.publish([event("foreign")]);
  await until("it shows", () => problem()?.includes("the disk is gone") === true, 30_000);
  expect(problem()).toContain(`${topic} [0]`);
  spy.mockRestore();
  await until("it is over", () => problem() === undefined && handled() === 1);
});
