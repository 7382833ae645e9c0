import { createRequire } from "node:module";
import { type BrokerContender, inLoops } from "../broker-client.ts";
import { makePayload } from "../payload.ts";

// Both come as CommonJS without types that fit an ES module.
const require = createRequire(import.meta.url);

/** Of moleculer only what is used here. */
interface MoleculerBroker {
  createService(schema: object): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  sendToChannel(name: string, payload: object): Promise<void>;
}

export const moleculer: BrokerContender = {
  name: "moleculer channels",
  lacks: "no wildcards",
  share: 0.2,
  connect: async ({ uri, namespace, handlers, handle }) => {
    const { ServiceBroker } = require("moleculer") as { ServiceBroker: new (options: object) => MoleculerBroker };
    const { Middleware } = require("@moleculer/channels") as { Middleware: (options: object) => object };
    const channels = Middleware({ adapter: { type: "Redis", options: { redis: { url: uri, ...address(uri) } } } });
    const broker = new ServiceBroker({ namespace, logger: false, middlewares: [channels] });
    if (handle !== undefined) {
      const channel = { group: "bench", maxInFlight: handlers, redis: { startID: "0" }, handler: handle };
      broker.createService({ name: "users", channels: { "user.created": channel } });
    }
    await broker.start();
    return {
      publish: (count) => inLoops(count, 1_000, (index) => broker.sendToChannel("user.created", makePayload(index))),
      close: () => broker.stop(),
    };
  },
};

function address(uri: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(uri);
  return { host: hostname, port: Number(port) };
}
