import { type Broker, rabbitmq, redis } from "../brokers/index.ts";

/** A broker that faults are counted on. */
export interface Target {
  readonly start: () => Promise<Broker>;
  /** The transport's URL, for a namespace at the broker's address. */
  readonly uri: (address: string, namespace: string) => string;
  /** What makes a connection that nobody answers on count as lost within a few seconds, for the URL's query. */
  readonly alert: string;
  /** How long what was declared has to stand before the broker may be killed, in milliseconds. */
  readonly beforeKill: number;
}

/** RabbitMQ saves the names of new quorum queues every half second; a younger one is empty after a kill. */
const onRabbitMq = { uri: prefixed, alert: "heartbeat=1", beforeKill: 1_500 };

/** A short lease, so that what a killed process had is soon handled by the next. */
const onRedis = { uri: leased, alert: "connectTimeout=2000", beforeKill: 0 };

/** The brokers by name. Kafka is not among them: its clients connect to where it says it is, past the proxy. */
export const targets: Readonly<Record<string, Target>> = {
  "rabbitmq-4.0": { ...onRabbitMq, start: () => rabbitmq("4.0") },
  "rabbitmq-3.10": { ...onRabbitMq, start: () => rabbitmq("3.10") },
  "redis-7.0": { ...onRedis, start: () => redis("7.0") },
  "redis-8.0": { ...onRedis, start: () => redis("8.0") },
  "valkey-8.1": { ...onRedis, start: () => redis("valkey-8.1") },
};

function leased(address: string, namespace: string): string {
  return `${prefixed(address, namespace)}&lease=3s`;
}

function prefixed(address: string, namespace: string): string {
  return `${address}?prefix=${namespace}`;
}
