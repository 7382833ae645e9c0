import "reflect-metadata";
import { ClientKafka, ServerKafka } from "@nestjs/microservices";
import { logLevel } from "kafkajs";
import { lastValueFrom } from "rxjs";
import { type BrokerContender, inLoops } from "../broker-client.ts";
import { makePayload } from "../payload.ts";
import { brokersAt, clientWithTopic, PARTITIONS } from "./topic.ts";

export const nest: BrokerContender = {
  name: "Nest microservices",
  lacks: "a topic a name, no wildcards, retries or dead letters; one event a partition at a time",
  share: 0.2,
  connect: async ({ uri, namespace, handle }) => {
    const topic = `${namespace}.user.created`;
    await clientWithTopic(uri, topic);
    const options = {
      client: { brokers: brokersAt(uri), logLevel: logLevel.NOTHING },
      consumer: { groupId: namespace, maxWaitTimeInMs: 100 },
      subscribe: { fromBeginning: true },
      run: { partitionsConsumedConcurrently: PARTITIONS },
      producerOnlyMode: true,
    };
    const server = new ServerKafka(options);
    if (handle !== undefined) {
      server.addHandler(topic, handle, true);
      await new Promise<void>((resolve, reject) => {
        void server.listen((error) => (error ? reject(error) : resolve()));
      });
    }
    const client = new ClientKafka(options);
    await client.connect();
    return {
      publish: (count) =>
        inLoops(count, 1_000, (index) =>
          lastValueFrom(client.emit(topic, makePayload(index)), { defaultValue: undefined }),
        ),
      close: async () => {
        await client.close();
        await server.close();
      },
    };
  },
};
