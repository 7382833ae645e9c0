import { AmqpConnection } from "@golevelup/nestjs-rabbitmq";
import { type BrokerContender, inLoops } from "../broker-client.ts";
import { makePayload } from "../payload.ts";

export const golevelup: BrokerContender = {
  name: "golevelup",
  lacks: "retries and dead letters are the user's",
  share: 0.25,
  connect: async ({ uri, namespace, handlers, handle }) => {
    const connection = new AmqpConnection({
      uri,
      exchanges: [{ name: namespace, type: "topic" }],
      prefetchCount: handlers,
      connectionInitOptions: { wait: true },
      connectionManagerOptions: { connectionOptions: { noDelay: true } },
    });
    await connection.init();
    const queueOptions = { durable: true, arguments: { "x-queue-type": "quorum" } };
    const binding = { exchange: namespace, routingKey: "user.*", queue: namespace, queueOptions };
    if (handle === undefined) {
      await connection.channel.assertQueue(namespace, queueOptions);
      await connection.channel.bindQueue(namespace, namespace, "user.*");
    } else {
      await connection.createSubscriber(handle, binding, "bench");
    }
    return {
      publish: (count) =>
        inLoops(count, 1_000, (index) =>
          connection.publish(namespace, "user.created", makePayload(index), {
            persistent: true,
            messageId: `${index}`,
          }),
        ),
      close: () => connection.managedConnection.close(),
    };
  },
};
