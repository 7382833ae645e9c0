import { Kafka, logLevel } from "kafkajs";

/** What every contender's topic has, so that all find the same work on the broker. */
export const PARTITIONS = 4;

/** The address of the broker, as clients of Kafka take it. */
export function brokersAt(uri: string): string[] {
  return [new URL(uri).host];
}

/** A client that says nothing, and a topic that is ready to be written to. */
export async function clientWithTopic(uri: string, topic: string): Promise<Kafka> {
  const kafka = new Kafka({ brokers: brokersAt(uri), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }], waitForLeaders: true });
  await admin.disconnect();
  return kafka;
}
