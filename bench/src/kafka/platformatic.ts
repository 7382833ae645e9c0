import { Producer, stringSerializers } from "@platformatic/kafka";
import type { BrokerContender } from "../broker-client.ts";
import { consumeBatches, sameEnvelope, sendBatches } from "./batches.ts";
import { brokersAt, clientWithTopic } from "./topic.ts";

/** What the broker can give: a producer that costs less than kafkajs', and the consumer of kafkajs. */
export const platformatic: BrokerContender = {
  name: "platformatic producer, kafkajs consumer",
  lacks: "as kafkajs",
  connect: async (options) => {
    const topic = options.namespace;
    const kafka = await clientWithTopic(options.uri, topic);
    const producer = new Producer({
      clientId: "bench",
      bootstrapBrokers: brokersAt(options.uri),
      serializers: stringSerializers,
    });
    const endConsuming = await consumeBatches(kafka, options);
    return {
      publish: (count) =>
        sendBatches(count, sameEnvelope, (records) => {
          const messages = records.map((record) => ({ ...record, topic }));
          return producer.send({ acks: -1, messages });
        }),
      close: async () => {
        await endConsuming();
        await producer.close();
      },
    };
  },
};
