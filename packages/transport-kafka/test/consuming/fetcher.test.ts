import { Kafka, logLevel, Partitioners } from "kafkajs";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Cluster } from "../../src/client/cluster.ts";
import type { KafkaClient } from "../../src/client/kafka-client.ts";
import { KafkajsClient } from "../../src/client/kafkajs-client.ts";
import { Fetcher } from "../../src/consuming/fetcher.ts";
import { PartitionLog } from "../../src/consuming/partition-log.ts";
import { KafkaError } from "../../src/wire/kafka-error.ts";
import type { FetchResult } from "../../src/wire/records.ts";
import type { PartitionOffset } from "../../src/wire/topic-partition.ts";
import { brokerUri, declare, event, publish, Space, subscribing } from "../support/space.ts";
import { until } from "../support/wait.ts";

/** A broker returns a large batch only from the first partition of a fetch that has anything; the order used to be the same. */
test.each([
  { brokers: 1, large: [0, 5] },
  // Asked in turn, each of two used to begin with every other of its partitions only.
  { brokers: 2, large: [1, 2] },
])(
  "H8 large events are fetched beside a constant flow of small ones, wherever their partitions stand ($brokers)",
  async ({ brokers, large }) => {
    const fetched = new Set<number>();
    let fetches = 0;
    const { logs } = fetching(
      8,
      async (_, partitions) => {
        fetches += 1;
        if (fetches > 20) await new Promise(() => {});
        return partitions.flatMap((asked, place) => {
          const { partition, offset } = asked;
          if (large.includes(partition) && (place > 0 || offset > 0)) return [];
          if (large.includes(partition)) fetched.add(partition);
          return [oneRecord(asked)];
        });
      },
      {
        leader: async ({ partition }) => partition % brokers,
        onRecords: () => {
          for (const log of logs) handleAll(log);
        },
      },
    );
    await until("there were some fetches", () => fetches > 20);
    expect([...fetched].sort()).toEqual(large);
  },
);

test("L3 a partition without a leader is looked for again, also where finding the leaders of the others took long", async () => {
  const fetched = new Set<number>();
  const isAsked = new Set<number>();
  fetching(
    3,
    async (_node, partitions) => {
      for (const { partition } of partitions) fetched.add(partition);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return [];
    },
    {
      leader: async ({ partition }) => {
        const isFirst = !isAsked.has(partition);
        isAsked.add(partition);
        if (partition === 1 && isFirst) throw new Error("no leader");
        // Longer than it is waited before they are looked for again.
        if (partition === 2 && isFirst) await new Promise((resolve) => setTimeout(resolve, 300));
        return 1;
      },
      cluster: { logger: { debug: () => {} } },
    },
  );
  await until("all are fetched", () => fetched.size === 3);
});

test("H9 however many partitions there are, no more bytes are fetched ahead than there is room for", async () => {
  const space = new Space();
  const options = { partitions: 24 };
  const [publisher, consumer] = await Promise.all([
    space.connect(options),
    space.connect(options, { maxHeldBytes: 2_000_000 }),
  ]);
  await declare(consumer, "reader", ["much"]);
  const size = 25_000;
  const count = 240;
  await publish(
    publisher,
    Array.from({ length: count }, () => event("much", "x".repeat(size))),
  );
  const fetch = KafkajsClient.prototype.fetch;
  let fetched = 0;
  let most = 0;
  let handled = 0;
  const spy = vi.spyOn(KafkajsClient.prototype, "fetch").mockImplementation(async function (
    this: KafkajsClient,
    ...request
  ) {
    const results = await fetch.apply(this, request);
    for (const { topic, records } of results)
      if (topic === `${space.prefix}.much`) for (const { value } of records) fetched += value?.length ?? 0;
    most = Math.max(most, fetched - handled * size);
    return results;
  });
  onTestFinished(() => spy.mockRestore());
  await consumer.subscribe("reader", subscribing(1), (delivery) => {
    handled += 1;
    setTimeout(() => void delivery.settle({ kind: "done", outputs: [] }), 5);
  });
  await until("all are handled", () => handled === count);
  // A quarter of what may be held is shared by two consumers. A fetch may go beyond it by a batch, here of ten events, and after
  // a rebalance what was there is fetched again; without a bound all of it would be here at once.
  expect(most).toBeLessThan((count * size) / 2);
});

test("H9 a fetch that leaves out a full partition soon asks again, ever later while nothing comes", async () => {
  const waits: number[] = [];
  let asked: readonly PartitionOffset[] = [];
  let answer = (_: readonly FetchResult[]) => {};
  const { logs } = fetching(2, (_node, partitions, { wait }) => {
    asked = partitions;
    waits.push(wait);
    return new Promise((resolve) => (answer = resolve));
  });
  const next = async (bring: (asked: readonly PartitionOffset[]) => readonly FetchResult[]) => {
    const before = waits.length;
    answer(bring(asked));
    await until("it asks again", () => waits.length > before);
  };
  await until("it asks", () => waits.length === 1);
  await next((both) => both.filter(({ partition }) => partition === 0).map(large));
  for (let times = 0; times < 5; times += 1) await next(() => []);
  await next((other) => other.map(oneRecord));
  expect(waits).toEqual([2_000, 5, 10, 20, 40, 50, 50, 5]);
  const [full] = logs;
  if (full !== undefined) handleAll(full);
  await next(() => []);
  expect(waits.at(-1)).toBe(2_000);
});

test("H9 brokers that are asked at the same time share the room that there is", async () => {
  const asked: number[] = [];
  fetching(
    12,
    (_node, _partitions, { bytes }) => {
      asked.push(bytes);
      return new Promise(() => {});
    },
    { leader: async ({ partition }) => partition, maxBuffered: 1_200_000 },
  );
  await until("all are asked", () => asked.length === 12);
  expect(asked).toEqual(Array.from({ length: 12 }, () => 100_000));
});

test("L5 a partition of which nothing can be read holds up no other one", async () => {
  const fetched = new Set<number>();
  const errors: unknown[] = [];
  fetching(
    4,
    async (_, partitions) => {
      if (partitions.some(({ partition }) => partition === 1))
        throw new KafkaError("UNREADABLE", "no response can be made sense of", false);
      for (const { partition } of partitions) fetched.add(partition);
      await new Promise((resolve) => setImmediate(resolve));
      return partitions.map(oneRecord);
    },
    {
      cluster: {
        names: { registry: "registry" },
        logger: { debug: () => {}, error: (about: unknown) => errors.push(about) },
        invalidate: () => {},
      },
    },
  );
  await until("the others are read, and it is told of", () => fetched.size === 3 && errors.length > 0);
  expect(errors[0]).toMatchObject({ topic: "t", partition: 1, offset: 0 });
});

test("L6 a full partition is not called held up for a leader that it lacked for a moment", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const moving = new KafkaError("NOT_LEADER_FOR_PARTITION", "it moves", true);
  const logger = { debug: () => {} };
  let leaderless = false;
  let refusals = 0;
  let fetches = 0;
  const { fetcher } = fetching(
    2,
    async (_, partitions) => {
      fetches += 1;
      if (fetches === 1) return partitions.filter(({ partition }) => partition === 0).map(large);
      if (fetches > 2) return new Promise(() => {});
      leaderless = true;
      return partitions.map((each) => ({ ...each, highWatermark: 0, next: each.offset, records: [], error: moving }));
    },
    {
      leader: async () => {
        if (!leaderless) return 1;
        refusals += 1;
        throw new Error("no leader");
      },
      cluster: { logger, invalidate: () => {} },
    },
  );
  await until("neither has a leader", () => refusals > 2);
  vi.advanceTimersByTime(6_000);
  expect(fetcher.problem).toContain("and 1 more");
  leaderless = false;
  await until("the other one is asked for again", () => fetches === 3);
  expect(fetcher.problem).toContain("t [1] is held up: it has no leader");
  expect(fetcher.problem).not.toContain("more");
});

function handleAll(log: PartitionLog): void {
  for (let entry = log.next(); entry !== undefined; entry = log.next()) log.settle(entry);
}

interface FetchingOptions {
  readonly leader?: Cluster["leader"];
  readonly cluster?: object;
  readonly maxBuffered?: number;
  readonly onRecords?: () => void;
}

function fetching(
  partitions: number,
  fetch: KafkaClient["fetch"],
  { leader = async () => 1, cluster = {}, maxBuffered = 10_000_000, onRecords = () => {} }: FetchingOptions = {},
) {
  const logs = Array.from({ length: partitions }, (_, partition) => new PartitionLog({ topic: "t", partition }, 0));
  const client = { fetch, metadata: async () => {}, interruptFetches: () => {} } as unknown as KafkaClient;
  const filtering = { done: Promise.resolve() };
  const fetcher = new Fetcher({
    cluster: { leader, idOf: () => undefined, reachable: true, ...cluster } as unknown as Cluster,
    client,
    filter: (_, records) => filtering.done.then(() => records),
    maxBuffered: () => maxBuffered,
    onRecords,
    onReplaced: () => {},
  });
  onTestFinished(() => fetcher.stop());
  fetcher.read(logs);
  fetcher.fetchMore();
  return { fetcher, logs, filtering };
}

const recordOf =
  (size: number) =>
  ({ topic, partition, offset }: PartitionOffset): FetchResult => {
    const record = { offset, time: 1, key: null, value: Buffer.alloc(size), headers: {} };
    return { topic, partition, highWatermark: offset + 1, next: offset + 1, records: [record] };
  };
const oneRecord = recordOf(10);
const large = recordOf(600_000);

test("R7 of thousands of partitions a trickle of events is fetched with rests, a flow without", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const turns = async () => {
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const fetchesOf = (records: number) => {
    const fetches = { count: 0 };
    fetching(4_000, async (_, partitions) => {
      fetches.count += 1;
      await (fetches.count > 10 ? new Promise(() => {}) : new Promise((resolve) => setImmediate(resolve)));
      return partitions.slice(0, records).map(oneRecord);
    });
    return fetches;
  };
  const [trickle, flow] = [fetchesOf(1), fetchesOf(1_000)];
  await turns();
  expect([trickle.count, flow.count]).toEqual([1, 11]);
  vi.advanceTimersByTime(40);
  await turns();
  expect(trickle.count).toBe(2);
});

test("H1 what was fetched of a partition that is read anew meanwhile leaves no gap", async () => {
  let respond = (_: readonly FetchResult[]) => {};
  let asked: readonly PartitionOffset[] = [];
  const { logs, filtering } = fetching(2, (_, partitions) => {
    asked = partitions;
    return new Promise((resolve) => (respond = resolve));
  });
  await until("both are asked for", () => asked.length === 2);
  respond(asked.map(oneRecord));
  await until("they have been read", () => logs.every(({ position }) => position === 1));
  await until("they are asked for again", () => asked.every(({ offset }) => offset === 1));
  let release = () => {};
  filtering.done = new Promise((resolve) => (release = resolve));
  respond(asked.map(oneRecord));
  // While the first is looked at, the second is drained for another member, and then kept.
  const second = logs.find(({ source }) => source.partition === asked[1]?.partition);
  second?.pauseDelivery();
  second?.resumeDelivery();
  release();
  filtering.done = Promise.resolve();
  await until("the fetch is over", () => asked.some(({ offset }) => offset === 2));
  expect(second?.position).toBe(0);
});

test("L6 another program's open transaction shows as what holds its partition up, until it ends", async () => {
  const space = new Space();
  const problems = new Map<string, string | undefined>();
  const connection = await space.connect({}, { onProblem: (subject, problem) => problems.set(subject, problem) });
  await declare(connection, "reader", ["in"]);
  const bodies: string[] = [];
  await connection.subscribe("reader", subscribing(10), (delivery) => {
    bodies.push(delivery.event.body.toString());
    void delivery.settle({ kind: "done", outputs: [] });
  });
  const { host } = new URL(brokerUri().replace("kafka:", "http:"));
  const stranger = new Kafka({ brokers: [host], logLevel: logLevel.NOTHING, retry: { retries: 20 } }).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    transactionalId: space.prefix,
    maxInFlightRequests: 1,
    idempotent: true,
  });
  await stranger.connect();
  onTestFinished(() => stranger.disconnect());
  const topic = `${space.prefix}.in`;
  const transaction = await stranger.transaction();
  await transaction.send({ topic, messages: [{ partition: 2, value: '"aborted"' }] });
  // One by one: those of one call go to one partition, which may be that one.
  for (let number = 0; number < 4; number += 1) await publish(connection, [event("in", number)]);
  await until("those in other partitions are handled", () => bodies.length > 0);
  await until("it shows", () => problems.get('consuming "reader"')?.includes("open transaction") === true);
  expect(problems.get('consuming "reader"')).toContain(`${topic} [2]`);
  await transaction.abort();
  await until("all are handled, and nothing shows", () => {
    return bodies.length === 4 && problems.get('consuming "reader"') === undefined;
  });
  expect(bodies.toSorted()).toEqual(["0", "1", "2", "3"]);
});
