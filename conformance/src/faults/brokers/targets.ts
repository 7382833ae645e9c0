import {
  type Broker,
  type BrokerProxy,
  kafka,
  kafkaCluster,
  rabbitMqCluster,
  rabbitmq,
  redis,
  redisCluster,
  redisSentinel,
} from "../../brokers/index.ts";
import type { Access } from "../workers/access.ts";
import { kafkaClusterOperator, kafkaOperator } from "./kafka-operator.ts";
import { rabbitMqOperator } from "./rabbitmq-operator.ts";
import { redisAloneOperator, redisOperator } from "./redis-operator.ts";
import type { Target } from "./target.ts";

/** RabbitMQ saves the names of new quorum queues every half second; a younger one is empty after a kill. */
const onRabbitMq = {
  kind: "rabbitmq",
  access: byProxy(),
  alert: "heartbeat=1",
  beforeKill: 1_500,
  operator: rabbitMqOperator,
} as const;

/** A short lease, so that what a killed process had is soon handled by the next. */
const LEASE = "&lease=3s";

const onRedisOfAnyKind = {
  kind: "redis",
  alert: "connectTimeout=2000",
  beforeKill: 0,
  operator: redisOperator,
} as const;
const onRedis = { ...onRedisOfAnyKind, access: byProxy(LEASE), operator: redisAloneOperator };

/** A replica that takes over may lack what its master confirmed last. */
const onRedisCluster = {
  ...onRedisOfAnyKind,
  access: byNodes("redis-cluster", LEASE),
  clustered: true,
  losesWithNode: 2_000,
};

/** What a replica has, too, is not lost with the master. */
const onRedisSentinel = {
  ...onRedisOfAnyKind,
  access: byNodes("redis-sentinel", `${LEASE}&durability=replicated`),
  clustered: true,
};

/**
 * A session that ends within seconds, so that what a killed process had is soon handled by the next. A rebalance may
 * repeat what was handled and not committed.
 */
const onKafka = {
  kind: "kafka",
  access: (broker: Broker, namespace: string, proxy?: BrokerProxy): Access => ({
    uri: `${(proxy ?? broker).uri}?prefix=${namespace}&sessionTimeout=6000`,
    ...(proxy !== undefined && { by: "kafka", routes: proxy.routes }),
  }),
  alert: "requestTimeout=2000",
  beforeKill: 0,
  repeatedByRolling: 0.01,
  mostInstances: 6,
  operator: kafkaOperator,
} as const;

/** The brokers by name. */
export const targets: Readonly<Record<string, Target>> = {
  "rabbitmq-4.3": { ...onRabbitMq, start: () => rabbitmq("4.3") },
  "rabbitmq-4.0": { ...onRabbitMq, start: () => rabbitmq("4.0") },
  "rabbitmq-3.10": { ...onRabbitMq, start: () => rabbitmq("3.10") },
  "rabbitmq-4.3-cluster": { ...onRabbitMq, clustered: true, start: () => rabbitMqCluster("4.3") },
  "redis-8.6": { ...onRedis, start: () => redis("8.6") },
  "redis-8.0": { ...onRedis, start: () => redis("8.0") },
  "redis-7.0": { ...onRedis, start: () => redis("7.0") },
  "valkey-9.1": { ...onRedis, start: () => redis("valkey-9.1") },
  "valkey-8.1": { ...onRedis, start: () => redis("valkey-8.1") },
  "redis-8.6-cluster": { ...onRedisCluster, start: () => redisCluster("8.6") },
  "valkey-9.1-cluster": { ...onRedisCluster, start: () => redisCluster("valkey-9.1") },
  "redis-8.6-sentinel": { ...onRedisSentinel, start: () => redisSentinel("8.6") },
  "valkey-9.1-sentinel": { ...onRedisSentinel, start: () => redisSentinel("valkey-9.1") },
  "kafka-4.4": { ...onKafka, start: () => kafka("4.4") },
  "kafka-4.1": { ...onKafka, start: () => kafka("4.1") },
  "kafka-3.9": { ...onKafka, start: () => kafka("3.9") },
  "kafka-4.4-cluster": {
    ...onKafka,
    operator: kafkaClusterOperator,
    clustered: true,
    start: () => kafkaCluster("4.4"),
  },
};

/** Where the proxy's own URL is all that it takes. */
function byProxy(more = ""): Target["access"] {
  return (broker, namespace, proxy) => ({ uri: `${(proxy ?? broker).uri}?prefix=${namespace}${more}` });
}

/** Where clients learn the nodes' addresses from the nodes. */
function byNodes(by: "redis-cluster" | "redis-sentinel", more: string): Target["access"] {
  return ({ uri }, namespace, proxy) => ({ uri: `${uri}?prefix=${namespace}${more}`, by, routes: proxy?.routes });
}
