import "reflect-metadata";
import { ClientRMQ, type RmqContext, ServerRMQ } from "@nestjs/microservices";
import { lastValueFrom } from "rxjs";
import { type BrokerContender, inLoops } from "../broker-client.ts";
import { makePayload } from "../payload.ts";

export const nest: BrokerContender = {
  name: "Nest microservices",
  lacks: "one queue, no routing; retries and dead letters are the user's",
  share: 0.25,
  connect: async ({ uri, namespace, handlers, handle }) => {
    const options = {
      urls: [uri],
      queue: namespace,
      queueOptions: { durable: true, arguments: { "x-queue-type": "quorum" } },
      prefetchCount: handlers,
      noAck: false,
      persistent: true,
      socketOptions: { connectionOptions: { noDelay: true } },
    };
    const server = new ServerRMQ(options);
    if (handle !== undefined) {
      const handler = async (_payload: unknown, context: RmqContext) => {
        await handle();
        context.getChannelRef().ack(context.getMessage());
      };
      server.addHandler("user.created", handler, true);
      await new Promise<void>((resolve, reject) => {
        void server.listen((error) => (error ? reject(error) : resolve()));
      });
    }
    // A client reads replies without acknowledging them.
    const client = new ClientRMQ({ ...options, noAck: true });
    await client.connect();
    return {
      publish: (count) =>
        inLoops(count, 1_000, (index) =>
          lastValueFrom(client.emit("user.created", makePayload(index)), { defaultValue: undefined }),
        ),
      close: async () => {
        await client.close();
        await server.close();
      },
    };
  },
};
