import { Kafka, logLevel, Partitioners } from "kafkajs";
import { expect, onTestFinished, test } from "vitest";
import { makeTopic, withAdmin } from "../support/admin.ts";
import { brokerUri, declare, event, publish, Space, subscribing } from "../support/space.ts";
import { until } from "../support/wait.ts";

async function findingsOf(space: Space): Promise<string[]> {
  const operator = await space.connect({}, { operator: true });
  const findings = (await operator.administration?.diagnose()) ?? [];
  for (const { what, why, remedy } of findings)
    for (const text of [what, why, remedy]) expect(text.length).toBeGreaterThan(10);
  return findings.map(({ severity, what }) => `${severity}: ${what.replaceAll(space.prefix, "papa")}`);
}

test("a sound namespace gives nothing to say but that one broker is few", async () => {
  const space = new Space();
  expect(await findingsOf(space)).toEqual(["info: The cluster has one broker."]);
  const connection = await space.connect();
  await declare(connection, "sound", ["user.*"]);
  await publish(connection, [event("user.created")]);
  expect(await findingsOf(space)).toEqual(["info: The cluster has one broker."]);
});

test("settings, missing and left topics, waiting retries and open transactions are found", async () => {
  const space = new Space();
  const { prefix } = space;
  const connection = await space.connect();
  await declare(connection, "sick", ["user.*"]);
  await makeTopic(brokerUri(), `${prefix}.short`, { "retention.ms": "3600000", "max.message.bytes": "1000" });
  await makeTopic(brokerUri(), `${prefix}.compact`, { "cleanup.policy": "compact" });
  await makeTopic(brokerUri(), `${prefix}--ready-left`, {});
  await connection.subscribe("sick", subscribing(1), (delivery) => {
    const headers = { ce_id: "id", ce_type: "user.created" };
    const retried = { ...event("user.created"), headers };
    void delivery.settle({ kind: "retry", delay: 600_000, event: retried });
  });
  await publish(connection, [event("user.created")]);
  await until("it waits", async () => (await connection.inspect("sick")).waiting === 1);
  await connection.close();
  await withAdmin(brokerUri(), (admin) => admin.deleteTopics({ topics: [`${prefix}--dead-sick`] }));
  const host = new URL(brokerUri().replace("kafka:", "http:")).host;
  const stranger = new Kafka({ brokers: [host], logLevel: logLevel.NOTHING }).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    transactionalId: prefix,
    maxInFlightRequests: 1,
    idempotent: true,
  });
  await stranger.connect();
  onTestFinished(() => stranger.disconnect());
  const transaction = await stranger.transaction();
  await transaction.send({ topic: `${prefix}.user`, messages: [{ partition: 2, value: "{}" }] });
  // Brokers know of a deleted topic, a member that has left and an open transaction one after the other.
  const findings = async () => (await findingsOf(space)).sort();
  await expect
    .poll(findings, { timeout: 30_000, interval: 500 })
    .toEqual([
      'error: The topic "papa.compact" is not as required: cleanup.policy is compact, so that Kafka may drop events.',
      "info: The cluster has one broker.",
      'info: The topic "papa--ready-left" belongs to no use case that the namespace knows.',
      'info: The topic "papa.short" takes events of up to 1000 bytes (max.message.bytes).',
      'warning: 1 events wait for their retry, and the group "papa--releaser" has no members.',
      'warning: The topic "papa--dead-sick" is missing, or this account may not know of it.',
      'warning: The topic "papa.short" keeps events for 1 h (retention.ms=3600000).',
      'warning: The topic "papa.user" holds an open transaction in partition 2; 1 events stand behind it.',
    ]);
  await transaction.abort();
});
