import type { KafkaVersion } from "./kafka.ts";
import type { RabbitMqVersion } from "./rabbitmq.ts";
import type { RedisVersion } from "./redis.ts";

/** The versions that a test run is about. */
export interface TestedVersions {
  readonly rabbitmq: readonly RabbitMqVersion[];
  /** Redis and Valkey. */
  readonly redis: readonly RedisVersion[];
  /** A Redis Cluster of one node, whose slots the test assigns. */
  readonly redisAlone: readonly RedisVersion[];
  readonly kafka: readonly KafkaVersion[];
  readonly rabbitMqCluster: readonly RabbitMqVersion[];
  readonly redisCluster: readonly RedisVersion[];
  readonly redisSentinel: readonly RedisVersion[];
  readonly kafkaCluster: readonly KafkaVersion[];
  /** The clusters that the conformance suite runs on. */
  readonly rabbitMqClusterSuite: readonly RabbitMqVersion[];
  readonly kafkaClusterSuite: readonly KafkaVersion[];
}

/** The oldest that is supported, and the newest. */
const USUAL: TestedVersions = {
  rabbitmq: ["3.10", "4.3"],
  redis: ["7.0", "8.6", "valkey-9.1"],
  redisAlone: ["8.6-cluster"],
  kafka: ["3.9", "4.4"],
  rabbitMqCluster: ["4.3"],
  redisCluster: ["8.6"],
  redisSentinel: ["valkey-9.1"],
  kafkaCluster: ["4.4"],
  rabbitMqClusterSuite: [],
  kafkaClusterSuite: [],
};

/** The others. */
const MORE: TestedVersions = {
  rabbitmq: ["4.0"],
  redis: ["8.0", "valkey-8.1"],
  redisAlone: ["8.0-cluster"],
  kafka: ["4.1"],
  rabbitMqCluster: ["3.10", "4.0"],
  redisCluster: ["7.0", "8.0", "valkey-8.1", "valkey-9.1"],
  redisSentinel: ["7.0", "8.0", "valkey-8.1", "8.6"],
  kafkaCluster: ["3.9", "4.1"],
  rabbitMqClusterSuite: ["4.3"],
  kafkaClusterSuite: ["4.4"],
};

/** What tests run on: every version where `PAPA_EVENTS_ALL_VERSIONS` is set, as `npm test -- --all-versions` does. */
export const testedVersions: TestedVersions = process.env.PAPA_EVENTS_ALL_VERSIONS ? joined(USUAL, MORE) : USUAL;

function joined(first: TestedVersions, second: TestedVersions): TestedVersions {
  return {
    rabbitmq: [...first.rabbitmq, ...second.rabbitmq],
    redis: [...first.redis, ...second.redis],
    redisAlone: [...first.redisAlone, ...second.redisAlone],
    kafka: [...first.kafka, ...second.kafka],
    rabbitMqCluster: [...first.rabbitMqCluster, ...second.rabbitMqCluster],
    redisCluster: [...first.redisCluster, ...second.redisCluster],
    redisSentinel: [...first.redisSentinel, ...second.redisSentinel],
    kafkaCluster: [...first.kafkaCluster, ...second.kafkaCluster],
    rabbitMqClusterSuite: [...first.rabbitMqClusterSuite, ...second.rabbitMqClusterSuite],
    kafkaClusterSuite: [...first.kafkaClusterSuite, ...second.kafkaClusterSuite],
  };
}
