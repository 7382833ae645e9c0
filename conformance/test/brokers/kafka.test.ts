import assert from "node:assert/strict";
import { Kafka, logLevel } from "kafkajs";
import { describe, test } from "vitest";
import { kafka, testedVersions } from "../../src/brokers/index.ts";

describe("a Kafka for tests", () => {
  for (const version of testedVersions.kafka) {
    test(`${version} keeps what was acknowledged when it is killed and restarted`, { timeout: 600_000 }, async () => {
      const broker = await kafka(version);
      let failed = true;
      try {
        const { host } = new URL(broker.uri);
        const client = new Kafka({ brokers: [host], logLevel: logLevel.NOTHING, retry: { retries: 20 } });
        const admin = client.admin();
        await admin.connect();
        await admin.createTopics({ topics: [{ topic: "kept", numPartitions: 1 }] });
        const producer = client.producer();
        await producer.connect();
        await producer.send({ topic: "kept", acks: -1, messages: [{ value: "one" }, { value: "two" }] });
        await broker.kill();
        await broker.restart();
        const [offsets] = await admin.fetchTopicOffsets("kept");
        assert.equal(offsets?.high, "2");
        await producer.disconnect();
        await admin.disconnect();
        failed = false;
      } finally {
        await broker.stop(failed);
      }
    });
  }
});
