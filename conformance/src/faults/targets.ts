import { type Broker, kafka, kafkaCluster, rabbitmq, redis } from "../brokers/index.ts";
import { redisScenarios } from "./redis-scenarios.ts";
import type { Scenario } from "./scenarios.ts";

/** A broker that faults are counted on. */
export interface Target {
  readonly start: () => Promise<Broker>;
  /** The transport's URL, for a namespace at the broker's address. */
  readonly uri: (address: string, namespace: string) => string;
  /** What makes a connection that nobody answers on count as lost within a few seconds, for the URL's query. */
  readonly alert: string;
  /** How long what was declared has to stand before the broker may be killed, in milliseconds. */
  readonly beforeKill: number;
  /** The transport's module, where the broker gives clients its own address and `kafka({ route })` has to lead them by the proxy. */
  readonly routedBy?: string;
  /** The share of events that a plain rolling deployment may repeat; none unless set. */
  readonly repeatedByRolling?: number;
  /** Whether it is several brokers, each of which can be killed. */
  readonly clustered?: boolean;
  /** What goes wrong on it only. */
  readonly scenarios?: readonly Scenario[];
}

/** RabbitMQ saves the names of new quorum queues every half second; a younger one is empty after a kill. */
const onRabbitMq = { uri: prefixed, alert: "heartbeat=1", beforeKill: 1_500 };

/** A short lease, so that what a killed process had is soon handled by the next. */
const onRedis = { uri: leased, alert: "connectTimeout=2000", beforeKill: 0, scenarios: redisScenarios };

/**
 * A session that ends within seconds, so that what a killed process had is soon handled by the next. A rebalance may
 * repeat what was handled and not committed.
 */
const onKafka = {
  uri: (address: string, namespace: string) => `${prefixed(address, namespace)}&sessionTimeout=6000`,
  alert: "requestTimeout=2000",
  beforeKill: 0,
  routedBy: "@papa-events/transport-kafka",
  repeatedByRolling: 0.01,
};

/** The brokers by name. */
export const targets: Readonly<Record<string, Target>> = {
  "rabbitmq-4.0": { ...onRabbitMq, start: () => rabbitmq("4.0") },
  "rabbitmq-3.10": { ...onRabbitMq, start: () => rabbitmq("3.10") },
  "redis-7.0": { ...onRedis, start: () => redis("7.0") },
  "redis-8.0": { ...onRedis, start: () => redis("8.0") },
  "valkey-8.1": { ...onRedis, start: () => redis("valkey-8.1") },
  "kafka-3.9": { ...onKafka, start: () => kafka("3.9") },
  "kafka-4.1": { ...onKafka, start: () => kafka("4.1") },
  "kafka-4.1-cluster": { ...onKafka, clustered: true, start: () => kafkaCluster("4.1") },
};

function leased(address: string, namespace: string): string {
  return `${prefixed(address, namespace)}&lease=3s`;
}

function prefixed(address: string, namespace: string): string {
  return `${address}?prefix=${namespace}`;
}
