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
const RETRIES = "retries of mixed delays, waiting together: how late they are";
const WAITING = "a hundred thousand retries waiting while apps are replaced: how late, how often, what others notice";
const IDLE = "an app of 100 use cases: how long it takes to start, what it costs with nothing to do";

export const singles: readonly Single[] = [
  { name: "memory-growth", title: GROWTH, measure: (scale) => memoryGrowth(1_000_000 * scale) },
  {
    name: "amqp-retries",
    title: RETRIES,
    broker: "rabbitmq",
    measure: (scale, uri) => retryPunctuality(5_000 * scale, uri),
  },
  {
    name: "amqp-waiting",
    title: WAITING,
    broker: "rabbitmq",
    measure: (scale, uri) => waitingRetries(100_000 * scale, uri),
  },
  {
    name: "amqp-growth",
    title: GROWTH,
    broker: "rabbitmq",
    measure: (scale, uri) => memoryGrowth(1_000_000 * scale, uri),
  },
  { name: "amqp-idle", title: IDLE, broker: "rabbitmq", measure: (scale, uri) => idleness(100, 20_000 * scale, uri) },
  {
    name: "redis-streams-retries",
    title: RETRIES,
    broker: "redis",
    measure: (scale, uri) => retryPunctuality(10_000 * scale, uri, 3),
  },
  {
    name: "redis-streams-waiting",
    title: WAITING,
    broker: "redis",
    measure: (scale, uri) => waitingRetries(100_000 * scale, uri),
  },
  {
    name: "redis-streams-growth",
    title: GROWTH,
    broker: "redis",
    measure: (scale, uri) => memoryGrowth(1_000_000 * scale, uri),
  },
  {
    name: "redis-streams-idle",
    title: IDLE,
    broker: "redis",
    measure: (scale, uri) => idleness(100, 20_000 * scale, uri),
  },
  {
    name: "kafka-retries",
    title: RETRIES,
    broker: "kafka",
    measure: (scale, uri) => retryPunctuality(5_000 * scale, uri),
  },
  {
    name: "kafka-waiting",
    title: WAITING,
    broker: "kafka",
    measure: (scale, uri) => waitingRetries(100_000 * scale, uri),
  },
  {
    name: "kafka-growth",
    title: GROWTH,
    broker: "kafka",
    measure: (scale, uri) => memoryGrowth(1_000_000 * scale, uri),
  },
  { name: "kafka-idle", title: IDLE, broker: "kafka", measure: (scale, uri) => idleness(100, 20_000 * scale, uri) },
];
