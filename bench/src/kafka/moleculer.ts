import { logLevel } from "kafkajs";
import { type BrokerContender, inLoops } from "../broker-client.ts";
import { startMoleculer } from "../moleculer-broker.ts";
import { makePayload } from "../payload.ts";
import { brokersAt, clientWithTopic, PARTITIONS } from "./topic.ts";

export const moleculer: BrokerContender = {
  name: "moleculer channels",
  lacks: "a topic a name, no wildcards, retries at once; one event a partition at a time",
  // It commits each event and waits for that.
  share: 0.02,
  connect: async ({ uri, namespace, handlers, handle }) => {
    const topic = `${namespace}.user.created`;
    await clientWithTopic(uri, topic);
    const kafka = { brokers: brokersAt(uri), logLevel: logLevel.NOTHING };
    const adapter = { type: "Kafka", options: { kafka } };
    const reading = { fromBeginning: true, partitionsConsumedConcurrently: PARTITIONS, maxWaitTimeInMs: 100 };
    const channel = handle && { group: "bench", maxInFlight: handlers, kafka: reading, handler: handle };
    const broker = await startMoleculer(namespace, adapter, channel);
    return {
      publish: (count) => inLoops(count, 1_000, (index) => broker.sendToChannel("user.created", makePayload(index))),
      close: () => broker.stop(),
    };
  },
};
