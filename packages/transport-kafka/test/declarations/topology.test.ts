import { expect, onTestFinished, test, vi } from "vitest";
import type { NewTopic } from "../../src/client/kafka-client.ts";
import { KafkajsClient } from "../../src/client/kafkajs-client.ts";
import { KafkaError } from "../../src/wire/kafka-error.ts";
import { makeTopic, withAdmin } from "../support/admin.ts";
import { failure } from "../support/failure.ts";
import { brokerUri, declare, event, Space, subscribing } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("L4 missing topics are named if none may be created", async () => {
  const { prefix } = new Space();
  const error = await failure(`${brokerUri()}?prefix=${prefix}&createTopics=false`);
  expect(error.code).toBe("topology-conflict");
  expect(error.message).toContain(`${prefix}--registry`);
  expect(error.message).toContain("createTopics");
});

test("L1 a topic with other settings is a conflict that names the topic and the difference", async () => {
  const { prefix } = new Space();
  await makeTopic(brokerUri(), `${prefix}--ready-uc`, { "cleanup.policy": "compact" });
  const error = await failure(`${brokerUri()}?prefix=${prefix}`);
  expect(error).toMatchObject({ code: "topology-conflict", details: { object: `topic "${prefix}--ready-uc"` } });
  expect(error.message).toContain("cleanup.policy is compact");
});

/** `start()` used to resolve, and the retry never came. */
test("L1 a delay topic with too few partitions is a conflict that says how many are needed", async () => {
  const { prefix } = new Space();
  await makeTopic(brokerUri(), `${prefix}--delays`, {
    "retention.ms": "-1",
    "message.timestamp.type": "LogAppendTime",
  });
  const error = await failure(`${brokerUri()}?prefix=${prefix}`);
  expect(error).toMatchObject({ code: "topology-conflict", details: { object: `topic "${prefix}--delays"` } });
  expect(error.message).toContain("1 of the 8 partitions");
});

test("L1 other internal topics are used with the partitions that they have", async () => {
  const space = new Space();
  await withAdmin(brokerUri(), (admin) =>
    admin.createTopics({
      waitForLeaders: false,
      topics: (["ready-uc", "dead-uc"] as const).map((name) => ({
        topic: `${space.prefix}--${name}`,
        numPartitions: 3,
        configEntries: [
          { name: "cleanup.policy", value: name === "dead-uc" ? "compact" : "delete" },
          { name: "retention.ms", value: "-1" },
          { name: "message.timestamp.type", value: "LogAppendTime" },
        ],
      })),
    }),
  );
  const app = space.app({ retries: 1, retryDelay: 50 });
  const attempts: number[] = [];
  app.onEvent("x", { useCase: "uc" }, (_, { attempt }) => {
    attempts.push(attempt);
    throw new Error("no");
  });
  await app.start();
  await app.newEvent("x", {});
  await until("it is dead", async () => (await app.deadLetters("uc").count()) === 1);
  expect(attempts).toEqual([1, 2]);
});

test("new topics have as many replicas as the cluster's default says, whichever brokers are up, and its compression", async () => {
  const space = new Space();
  const describe = KafkajsClient.prototype.describeConfigs;
  vi.spyOn(KafkajsClient.prototype, "describeConfigs").mockImplementation(async function (
    this: KafkajsClient,
    kind,
    names,
  ) {
    if (kind === "topic") return describe.call(this, kind, names);
    return new Map(names.map((name) => [name, { "default.replication.factor": "3" }]));
  });
  const asked = vi.spyOn(KafkajsClient.prototype, "createTopics").mockResolvedValue([]);
  const connection = await space.connect();
  void declare(connection, "uc", ["x"]).catch(() => {});
  await until("topics are made", () => asked.mock.calls.length > 0);
  const created = asked.mock.calls.flatMap(([topics]) => topics);
  expect(created.map(({ replicationFactor }) => replicationFactor)).toContain(3);
  // Hosted clusters refuse topics that set it.
  for (const { configs } of created) expect(configs).not.toHaveProperty("compression.type");
  vi.restoreAllMocks();
});

test("D5 topics of retries and dead letters accept records as large as a hosted cluster allows", async () => {
  const { createTopics } = KafkajsClient.prototype;
  const limit = 8 * 1_048_576;
  const made = new Map<string, string | undefined>();
  const spy = vi.spyOn(KafkajsClient.prototype, "createTopics").mockImplementation(async function (
    this: KafkajsClient,
    topics,
  ) {
    const isAllowed = ({ configs }: NewTopic) => Number(configs["max.message.bytes"]) <= limit;
    const allowed = topics.filter(isAllowed);
    for (const { topic, configs } of allowed) made.set(topic, configs["max.message.bytes"]);
    const error = new KafkaError("POLICY_VIOLATION", "the policy is violated", false);
    const refused = topics.filter((each) => !isAllowed(each)).map(({ topic }) => ({ topic, error }));
    return [...refused, ...(allowed.length === 0 ? [] : await createTopics.call(this, allowed))];
  });
  onTestFinished(() => spy.mockRestore());
  const space = new Space();
  await declare(await space.connect(), "uc", ["x"]);
  const of = (topic: string) => Number(made.get(space.prefix + topic));
  expect([of("--ready-uc"), of("--dead-uc"), of("--delays")]).toEqual([limit, limit, limit]);
  expect(of(".x")).toBe(1_048_576 + 131_072);
});

test("L5 an event whose type belongs to another topic is told of, and counted", async () => {
  const space = new Space();
  const warn = vi.fn();
  const connection = await space.connect({}, { logger: { debug: () => {}, info: () => {}, warn, error: () => {} } });
  await declare(connection, "reader", ["own"]);
  const names: (string | undefined)[] = [];
  await connection.subscribe("reader", subscribing(10), (delivery) => {
    names.push(delivery.event.name);
    void delivery.settle({ kind: "done", outputs: [] });
  });
  const stray = { ...event("own"), headers: { ce_type: "other.made", ce_id: "1" } };
  await connection.publish([stray, { ...stray, id: "2" }]);
  await connection.publish([event("own")]);
  await until("the other one is handled and the log tells", () => names.length === 1 && warn.mock.calls.length > 0);
  expect(warn.mock.calls[0]?.[0]).toMatchObject({ topic: `${space.prefix}.own`, name: "other.made" });
});

/** On a cluster each broker learns of a new topic by itself, so that the one that leads it may be the last. */
test("R1 start() waits for a leader that does not know a new topic yet", async () => {
  const unknown = new KafkaError("UNKNOWN_TOPIC_OR_PARTITION", "not known yet", true);
  const left = { produce: 3, listOffsets: 3 };
  const { produce, listOffsets } = KafkajsClient.prototype;
  const spies = [
    vi.spyOn(KafkajsClient.prototype, "produce").mockImplementation(async function (this: KafkajsClient, ...request) {
      if ((left.produce -= 1) < 0) return produce.apply(this, request);
      return request[1].map(({ topic, partition }) => ({ topic, partition, offset: -1, time: -1, error: unknown }));
    }),
    vi.spyOn(KafkajsClient.prototype, "listOffsets").mockImplementation(async function (
      this: KafkajsClient,
      ...request
    ) {
      if ((left.listOffsets -= 1) < 0) return listOffsets.apply(this, request);
      throw unknown;
    }),
  ];
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore();
  });
  const handled: unknown[] = [];
  const app = new Space().app();
  app.onEvent("young.made", { useCase: "reader" }, (payload) => void handled.push(payload));
  await app.start();
  await app.newEvent("young.made", 1);
  await until("it is handled", () => handled.length === 1);
  expect(left.produce).toBeLessThan(0);
  expect(left.listOffsets).toBeLessThan(0);
});
