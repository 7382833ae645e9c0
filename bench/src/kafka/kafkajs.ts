import type { BrokerContender } from "../broker-client.ts";
import { consumeBatches, type Envelope, sendBatches } from "./batches.ts";
import { clientWithTopic } from "./topic.ts";

/**
 * What a careful team writes by hand: sends of 500 records to a partition each, confirmed by all replicas that are in sync;
 * whole batches fetched, handled so many at once, and committed in the background when all of them have been.
 */
export function kafkajs(name: string, envelope: () => Envelope): BrokerContender {
  return {
    name,
    lacks: "no routing, retries, dead letters, validation; a slow handler holds up its batch",
    connect: async (options) => {
      const topic = options.namespace;
      const kafka = await clientWithTopic(options.uri, topic);
      const producer = kafka.producer();
      await producer.connect();
      const endConsuming = await consumeBatches(kafka, options);
      return {
        publish: (count) => sendBatches(count, envelope, (messages) => producer.send({ topic, acks: -1, messages })),
        close: async () => {
          await endConsuming();
          await producer.disconnect();
        },
      };
    },
  };
}
