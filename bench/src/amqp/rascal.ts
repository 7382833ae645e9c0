import { createRequire } from "node:module";
import { type BrokerContender, inLoops } from "../broker-client.ts";
import { makePayload } from "../payload.ts";

/** Of rascal, which has no types, only what is used here. */
interface Rascal {
  withDefaultConfig(config: object): object;
  readonly BrokerAsPromised: { create(config: object): Promise<RascalBroker> };
}

interface RascalBroker {
  subscribe(name: string): Promise<Emitter>;
  publish(name: string, payload: object, routingKey: string): Promise<Emitter>;
  shutdown(): Promise<void>;
}

interface Emitter {
  on(event: "message", listener: (message: unknown, content: unknown, acknowledge: () => void) => void): this;
  on(event: "success" | "error", listener: (value: unknown) => void): this;
}

const require = createRequire(import.meta.url);
const { BrokerAsPromised, withDefaultConfig } = require("rascal") as Rascal;

export const rascal: BrokerContender = {
  name: "rascal",
  lacks: "retries and dead letters by configuration of each queue",
  share: 0.25,
  connect: async ({ uri, namespace, handlers, handle }) => {
    const broker = await BrokerAsPromised.create(
      withDefaultConfig({
        vhosts: {
          "/": {
            connection: { url: `${uri}/%2f`, socketOptions: { noDelay: true } },
            exchanges: { [namespace]: { type: "topic" } },
            queues: { [namespace]: { options: { durable: true, arguments: { "x-queue-type": "quorum" } } } },
            bindings: { bench: { source: namespace, destination: namespace, bindingKey: "user.*" } },
            publications: { bench: { exchange: namespace, confirm: true, options: { persistent: true } } },
            subscriptions: { bench: { queue: namespace, prefetch: handlers } },
          },
        },
      }),
    );
    if (handle !== undefined) {
      const subscription = await broker.subscribe("bench");
      subscription.on("message", (_message, _content, acknowledge) => void handle().then(() => acknowledge()));
    }
    return {
      publish: (count) =>
        inLoops(count, 1_000, async (index) => {
          const publication = await broker.publish("bench", makePayload(index), "user.created");
          await new Promise((resolve, reject) => publication.on("success", resolve).on("error", reject));
        }),
      close: () => broker.shutdown(),
    };
  },
};
