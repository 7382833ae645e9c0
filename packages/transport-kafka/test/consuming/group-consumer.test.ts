import { expect, onTestFinished, test } from "vitest";
import { Cluster } from "../../src/client/cluster.ts";
import { readOptions } from "../../src/client/options.ts";
import { GroupConsumer } from "../../src/consuming/group-consumer.ts";
import { withAdmin } from "../support/admin.ts";
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
  const consumer = new GroupConsumer({
    cluster,
    group: cluster.names.group("grown"),
    topics: async () => [topic],
    startOf: () => 0,
    filter: (_, records) => records,
    maxBuffered: () => 1_048_576,
    hasRoom: () => true,
    deliver: () => {},
    drains: false,
  });
  onTestFinished(() => consumer.close(1_000));
  await consumer.start();
  expect(consumer.assigned.length).toBe(1);
  await until("the new partitions are read", () => {
    consumer.check([topic]);
    return consumer.assigned.length === 3;
  });
});
