import { expect, onTestFinished, test } from "vitest";
import { clientTo, makeTopic } from "../support/admin.ts";
import { brokerUri, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("H8 a commit that the broker refuses of one partition is stored of the others", async () => {
  const { prefix } = new Space();
  const topic = `${prefix}.made`;
  await makeTopic(brokerUri(), topic, {});
  const client = clientTo(brokerUri());
  onTestFinished(() => client.close());
  await until("it is known", async () => (await client.metadata([topic])).topics.has(topic));
  const group = prefix;
  const node = await client.coordinator(group);
  const request = { group, sessionTimeout: 10_000, rebalanceTimeout: 10_000, topics: [topic], userData: "" };
  const { memberId, generation } = await client.join(node, { ...request, memberId: "" });
  const member = { group, memberId, generation };
  await client.sync(node, member, []);
  const commits = [`${prefix}.gone`, topic].map((each) => ({ topic: each, partition: 0, offset: 3, metadata: "" }));
  const refused = await client.commit(node, member, commits);
  expect(refused).toMatchObject([
    { topic: `${prefix}.gone`, partition: 0, error: { type: "UNKNOWN_TOPIC_OR_PARTITION" } },
  ]);
  expect(await client.committed(node, group, [{ topic, partition: 0 }])).toMatchObject([{ offset: 3 }]);
  // Of the group it is everybody's problem.
  await expect(client.commit(node, { ...member, generation: 99 }, commits)).rejects.toMatchObject({
    type: "ILLEGAL_GENERATION",
  });
});
