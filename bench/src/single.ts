import type { BrokerKind } from "./brokers.ts";
import { memoryGrowth } from "./growth.ts";
import { idleness } from "./idle.ts";
import { retryPunctuality } from "./retries.ts";

/** What is measured of the library alone. */
export interface Single {
  readonly name: string;
  readonly broker?: BrokerKind;
  readonly measure: (scale: number, uri: string) => { readonly text: string };
}

export const singles: readonly Single[] = [
  { name: "memory-growth", measure: (scale) => memoryGrowth(1_000_000 * scale) },
  { name: "amqp-retries", broker: "rabbitmq", measure: (scale, uri) => retryPunctuality(5_000 * scale, uri) },
  { name: "amqp-growth", broker: "rabbitmq", measure: (scale, uri) => memoryGrowth(1_000_000 * scale, uri) },
  { name: "amqp-idle", broker: "rabbitmq", measure: (scale, uri) => idleness(100, 20_000 * scale, uri) },
  { name: "redis-streams-retries", broker: "redis", measure: (scale, uri) => retryPunctuality(10_000 * scale, uri, 3) },
  { name: "redis-streams-growth", broker: "redis", measure: (scale, uri) => memoryGrowth(1_000_000 * scale, uri) },
  { name: "redis-streams-idle", broker: "redis", measure: (scale, uri) => idleness(100, 20_000 * scale, uri) },
  { name: "kafka-retries", broker: "kafka", measure: (scale, uri) => retryPunctuality(5_000 * scale, uri) },
  { name: "kafka-growth", broker: "kafka", measure: (scale, uri) => memoryGrowth(1_000_000 * scale, uri) },
  { name: "kafka-idle", broker: "kafka", measure: (scale, uri) => idleness(100, 20_000 * scale, uri) },
];
