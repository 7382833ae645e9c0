import { kafka } from "@papa-events/transport-kafka";
import type { BrokerContender } from "../broker-client.ts";
import { papaEvents } from "../papa-client.ts";

/** The library on its second engine. */
export const papaOnPlatformatic: BrokerContender = {
  ...papaEvents((uri) => kafka({ uri, engine: "platformatic" })),
  name: "papa events, platformatic",
};
