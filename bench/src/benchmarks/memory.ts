import { createRequire } from "node:module";
import Emittery from "emittery";
import { z } from "zod";
import type { Benchmark, Work } from "../benchmark.ts";
import { makePayload } from "../payload.ts";
import { inBatches, oneByOne, publishAndHandle } from "../publish-and-handle.ts";

// Both come as CommonJS without types that fit an ES module.
const require = createRequire(import.meta.url);

const Client = z.object({
  id: z.number(),
  name: z.string(),
  email: z.string(),
  amount: z.number(),
  active: z.boolean(),
});

/**
 * What JSON and one awaited call cost: no less is possible for a transport that hands over a copy. Everything that the
 * library does comes on top of it: check, encode, queue, route, decode, context, handle, acknowledge.
 */
async function floor(): Promise<Work> {
  const handler = async (_payload: unknown) => {};
  return {
    run: async (count) => {
      for (let index = 0; index < count; index += 1) {
        const body = Buffer.from(JSON.stringify(makePayload(index)));
        await handler(JSON.parse(body.toString()));
      }
    },
  };
}

async function emittery(): Promise<Work> {
  const emitter = new Emittery<{ "user.created": object }>();
  emitter.on("user.created", async () => {});
  return {
    run: async (count) => {
      for (let index = 0; index < count; index += 1) await emitter.emit("user.created", makePayload(index));
    },
  };
}

async function eventEmitter2(): Promise<Work> {
  const { EventEmitter2 } = require("eventemitter2") as typeof import("eventemitter2");
  const emitter = new EventEmitter2({ wildcard: true });
  emitter.on("user.*", async () => {});
  return {
    run: async (count) => {
      for (let index = 0; index < count; index += 1) await emitter.emitAsync("user.created", makePayload(index));
    },
  };
}

/** Of moleculer only what is used here. */
interface MoleculerBroker {
  createService(schema: object): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  sendToChannel(name: string, payload: object): Promise<void>;
}

async function moleculer(): Promise<Work> {
  const { ServiceBroker } = require("moleculer") as { ServiceBroker: new (options: object) => MoleculerBroker };
  const { Middleware } = require("@moleculer/channels") as { Middleware: (options: object) => object };
  const broker = new ServiceBroker({ logger: false, middlewares: [Middleware({ adapter: "Fake" })] });
  let left = 0;
  let allHandled: () => void = () => {};
  broker.createService({
    name: "users",
    channels: {
      "user.created": {
        group: "log",
        maxInFlight: 20,
        handler: async () => {
          left -= 1;
          if (left === 0) allHandled();
        },
      },
    },
  });
  await broker.start();
  return {
    run: async (count) => {
      left = count;
      const handled = new Promise<void>((resolve) => {
        allHandled = resolve;
      });
      // It loses what is above 100 queued, so it gets no more at once.
      for (let index = 0; index < count; index += 1) await broker.sendToChannel("user.created", makePayload(index));
      await handled;
    },
    close: () => broker.stop(),
  };
}

/** From `newEvent` to the acknowledgement. */
export const memoryEndToEnd: Benchmark = {
  name: "memory",
  title: "Memory transport, end to end, 330-byte events",
  count: 200_000,
  unit: "events",
  contenders: [
    { name: "floor: JSON through a Buffer, one awaited call", lacks: "no queue, no routing, no retry", prepare: floor },
    { name: "newEvent, 200 publishers", prepare: () => publishAndHandle({ publish: oneByOne }) },
    { name: "newEvents, 100 a call", prepare: () => publishAndHandle({ publish: inBatches }) },
    {
      name: "newEvent, zod schema",
      prepare: () => publishAndHandle({ publish: oneByOne, useCase: { schema: Client } }),
    },
    {
      name: "newEvent, 200 handlers",
      prepare: () => publishAndHandle({ publish: oneByOne, app: { concurrency: 200 } }),
    },
    { name: "newEvent, to 10 use cases", prepare: () => publishAndHandle({ publish: oneByOne, fanOut: 10 }) },
    { name: "emittery", lacks: "hands over the same object; no wildcards, queue or retry", prepare: emittery },
    { name: "eventemitter2", lacks: "hands over the same object; no queue or retry", prepare: eventEmitter2 },
    { name: "moleculer channels, Fake adapter", lacks: "loses what is above 100 queued", prepare: moleculer },
  ],
};
