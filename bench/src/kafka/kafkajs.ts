import { randomUUID } from "node:crypto";
import { type EachBatchPayload, Kafka, logLevel } from "kafkajs";
import type { BrokerContender, ClientOptions } from "../broker-client.ts";
import { makePayload } from "../payload.ts";

const PARTITIONS = 4;
const BATCH = 250;
/** How many batches are under way at once. */
const WINDOW = 4;

/**
 * What a careful team writes by hand: sends of 250 records, confirmed by all replicas that are in sync; whole batches
 * fetched, handled so many at once, and committed when all of them have been.
 */
export const kafkajs: BrokerContender = {
  name: "kafkajs, tuned",
  lacks: "no routing, retries, dead letters, validation; a slow handler holds up its batch",
  connect: async ({ uri, namespace, handlers, handle }: ClientOptions) => {
    const kafka = new Kafka({ brokers: [new URL(uri).host], logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: namespace, numPartitions: PARTITIONS }], waitForLeaders: true });
    await admin.disconnect();
    const producer = kafka.producer();
    await producer.connect();
    const consumer = kafka.consumer({ groupId: namespace, maxWaitTimeInMs: 100 });
    if (handle !== undefined) {
      await consumer.connect();
      await consumer.subscribe({ topic: namespace, fromBeginning: true });
      const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
      await consumer.run({
        eachBatchAutoResolve: false,
        autoCommit: false,
        partitionsConsumedConcurrently: PARTITIONS,
        eachBatch: (batch) => handleBatch(batch, Math.ceil(handlers / PARTITIONS), handle),
      });
      await joined;
    }
    return {
      publish: async (count) => {
        let sent = 0;
        const batches = async () => {
          while (sent < count) {
            const from = sent;
            sent = Math.min(count, sent + BATCH);
            const messages = Array.from({ length: sent - from }, (_, index) => record(from + index));
            await producer.send({ topic: namespace, acks: -1, messages });
          }
        };
        await Promise.all(Array.from({ length: WINDOW }, batches));
      },
      close: async () => {
        await consumer.disconnect();
        await producer.disconnect();
      },
    };
  },
};

async function handleBatch(payload: EachBatchPayload, atOnce: number, handle: () => Promise<void>): Promise<void> {
  const { batch, heartbeat, commitOffsetsIfNecessary } = payload;
  let next = 0;
  const work = async () => {
    for (let message = batch.messages[next++]; message !== undefined; message = batch.messages[next++]) {
      JSON.parse(message.value?.toString() ?? "null");
      await handle();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const { topic, partition } = batch;
  const offset = String(BigInt(batch.lastOffset()) + 1n);
  await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset }] }] });
  await heartbeat();
}

function record(index: number) {
  return {
    partition: index % PARTITIONS,
    value: JSON.stringify(makePayload(index)),
    headers: {
      ce_specversion: "1.0",
      ce_id: randomUUID(),
      ce_type: "user.created",
      ce_source: "papa-events",
      ce_time: new Date().toISOString(),
      "content-type": "application/json",
    },
  };
}
