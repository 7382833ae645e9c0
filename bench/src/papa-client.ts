import { PapaApp } from "@papa-events/core";
import type { Transport } from "@papa-events/core/transport";
import { type BrokerContender, inLoops } from "./broker-client.ts";
import { makePayload } from "./payload.ts";

const WINDOW = 1_000;

export interface PapaEventsOptions {
  /** Whether the app that handles events also publishes them, where one does both, as where one connection does by hand. */
  readonly oneApp?: boolean;
}

/** The library on a transport: every use case wants every event. */
export function papaEvents(
  transport: (uri: string) => Transport,
  { oneApp = false }: PapaEventsOptions = {},
): BrokerContender {
  return {
    name: "papa events",
    fansOut: true,
    connect: async ({ uri, namespace, handlers, queues = 1, handle }) => {
      const make = () => new PapaApp({ transport: transport(`${uri}?prefix=${namespace}`), concurrency: handlers });
      const consumer = make();
      for (let index = 0; index < queues; index += 1)
        consumer.onEvent("user.*", { useCase: `bench_${index}` }, handle ?? (async () => {}));
      await consumer.start();
      if (handle === undefined) await consumer.stop();
      const publisher = oneApp && handle !== undefined ? consumer : make();
      if (publisher !== consumer) await publisher.start();
      return {
        publish: (count) => inLoops(count, WINDOW, (index) => publisher.newEvent("user.created", makePayload(index))),
        close: async () => {
          await publisher.stop();
          await consumer.stop();
        },
      };
    },
  };
}
