import type { BrokerKind } from "./brokers.ts";
import { memoryGrowth } from "./growth.ts";
import { idleness } from "./idle.ts";
import { retryPunctuality } from "./retries.ts";
import { waitingRetries } from "./waiting.ts";

/** What is measured of the library alone. */
export interface Single {
  readonly name: string;
  readonly title: string;
  readonly broker?: BrokerKind;
  readonly measure: (scale: number, uri: string) => { readonly text: string };
}

const GROWTH = "resident memory over a million events";

export const singles: readonly Single[] = [
  { name: "memory-growth", title: GROWTH, measure: (scale) => memoryGrowth(1_000_000 * scale) },
  ...onBroker("amqp", "rabbitmq", { retries: 5_000, apps: 1 }),
  ...onBroker("redis-streams", "redis", { retries: 10_000, apps: 3 }),
  ...onBroker("kafka", "kafka", { retries: 5_000, apps: 1 }),
];

/** The same measurements for every broker. */
function onBroker(kind: string, broker: BrokerKind, { retries, apps }: { retries: number; apps: number }): Single[] {
  return [
    {
      name: `${kind}-retries`,
      title: "retries of mixed delays, waiting together: how late they are",
      broker,
      measure: (scale, uri) => retryPunctuality(retries * scale, uri, apps),
    },
    {
      name: `${kind}-waiting`,
      title: "a hundred thousand retries waiting while apps are replaced: how late, how often, what others notice",
      broker,
      measure: (scale, uri) => waitingRetries(100_000 * scale, uri),
    },
    {
      name: `${kind}-growth`,
      title: GROWTH,
      broker,
      measure: (scale, uri) => memoryGrowth(1_000_000 * scale, uri),
    },
    {
      name: `${kind}-idle`,
      title: "an app of 100 use cases: how long it takes to start, what it costs with nothing to do",
      broker,
      measure: (scale, uri) => idleness(100, 20_000 * scale, uri),
    },
  ];
}
