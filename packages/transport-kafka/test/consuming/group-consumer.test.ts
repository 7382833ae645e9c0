import { expect, onTestFinished, test } from "vitest";
import { Cluster } from "../../src/client/cluster.ts";
import type { JoinRequest } from "../../src/client/kafka-client.ts";
import { readOptions } from "../../src/client/options.ts";
import { GroupConsumer, type GroupConsumerOptions } from "../../src/consuming/group-consumer.ts";
import type { Entry } from "../../src/consuming/partition-log.ts";
import { KafkaError } from "../../src/wire/kafka-error.ts";
import { withAdmin } from "../support/admin.ts";
import { fakeGroup, TOPIC } from "../support/fake-group.ts";
import { brokerUri, quiet, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("R1 partitions that are added between the leader's look at a topic and a member's own are read", async () => {
  const { prefix } = new Space();
  const cluster = await Cluster.open(readOptions({ uri: brokerUri(), prefix }), {
    appName: "test",
    logger: quiet,
    maxHeldBytes: 1_048_576,
    onStatus: () => {},
    onProblem: () => {},
  });
  onTestFinished(() => cluster.close());
  const topic = `${prefix}.grown`;
  await withAdmin(brokerUri(), (admin) => admin.createTopics({ topics: [{ topic, numPartitions: 1 }] }));
  const refresh = cluster.refresh.bind(cluster);
  let looks = 0;
  cluster.refresh = async (names) => {
    looks += 1;
    if (looks === 2) {
      await withAdmin(brokerUri(), (admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }));
      await until("all partitions are known", async () => {
        const { topics } = await refresh([topic]);
        return topics.get(topic)?.partitions.length === 3;
      });
    }
    return refresh(names);
  };
  const consumer = consuming(cluster, { group: cluster.names.group("grown"), topics: async () => [topic] });
  await consumer.start();
  expect(consumer.assigned.length).toBe(1);
  await until("the new partitions are read", () => {
    consumer.check([topic]);
    return consumer.assigned.length === 3;
  });
});

/** Its partition used to go to another member, who handled the event again: no commit said yet that it was done. */
test("L10 a partition in which a handler ends while the group is joined again stays with its owner", async () => {
  const joins: JoinRequest[] = [];
  const entries: Entry[] = [];
  const record = { offset: 0, time: 0, key: null, value: null, headers: {} };
  const cluster = fakeGroup([record], {
    join: async (_node, request) => {
      joins.push(request);
      if (joins.length === 2) {
        for (const entry of entries) consumer.settle(entry);
        throw new KafkaError("NOT_COORDINATOR_FOR_GROUP", "it has moved", true);
      }
      return { memberId: "only", generation: joins.length, members: [] };
    },
  });
  const consumer = consuming(cluster, { deliver: (entry) => entries.push(entry), drains: true });
  await consumer.start();
  await until("it is delivered", () => entries.length === 1);
  const busy = () => joins.map(({ userData }) => (JSON.parse(userData) as { busy: unknown }).busy);
  consumer.rejoin();
  await until("it has joined again", () => joins.length === 3 && consumer.joined);
  consumer.rejoin();
  await until("it has joined once more", () => joins.length === 4);
  expect(busy()).toEqual([{}, { [TOPIC]: [0] }, { [TOPIC]: [0] }, {}]);
});

/** A broker that is silent used to keep it, and with it the whole group, until its session had expired. */
test("L3 what goes on when a group is joined again is not waited for longer than the group waits", async () => {
  let joins = 0;
  const cluster = fakeGroup(
    [],
    { join: async () => ({ memberId: "only", generation: (joins += 1), members: [] }) },
    { target: { sessionTimeout: 300 } },
  );
  const consumer = consuming(cluster, { beforeRejoin: () => new Promise(() => {}) });
  await consumer.start();
  consumer.rejoin();
  await until("it has joined again", () => joins === 2 && consumer.joined);
});

function consuming(cluster: Cluster, options: Partial<GroupConsumerOptions>): GroupConsumer {
  const consumer = new GroupConsumer({
    cluster,
    group: "g",
    topics: async () => [TOPIC],
    startOf: () => 0,
    filter: (_, records) => records,
    maxBuffered: () => 1_048_576,
    hasRoom: () => true,
    deliver: () => {},
    drains: false,
    ...options,
  });
  onTestFinished(() => consumer.close(1_000));
  return consumer;
}
