import { createRequire } from "node:module";

// Both come as CommonJS without types that fit an ES module.
const require = createRequire(import.meta.url);

/** Of moleculer only what is used here. */
interface MoleculerBroker {
  createService(schema: object): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  sendToChannel(name: string, payload: object): Promise<void>;
}

/** A broker of moleculer with its channels on an adapter, and a service for `channel` if there is one. */
export async function startMoleculer(
  namespace: string,
  adapter: object,
  channel: object | undefined,
): Promise<MoleculerBroker> {
  const { ServiceBroker } = require("moleculer") as { ServiceBroker: new (options: object) => MoleculerBroker };
  const { Middleware } = require("@moleculer/channels") as { Middleware: (options: object) => object };
  const broker = new ServiceBroker({ namespace, logger: false, middlewares: [Middleware({ adapter })] });
  if (channel !== undefined) broker.createService({ name: "users", channels: { "user.created": channel } });
  await broker.start();
  return broker;
}
