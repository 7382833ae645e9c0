import type { KafkaVersion } from "./kafka.ts";
import type { RabbitMqVersion } from "./rabbitmq.ts";
import type { RedisVersion } from "./redis.ts";

/** The versions that a test run is about. */
export interface TestedVersions {
  readonly rabbitmq: readonly RabbitMqVersion[];
  /** Redis and Valkey. */
  readonly redis: readonly RedisVersion[];
  /** Clusters of one node. */
  readonly redisCluster: readonly RedisVersion[];
  readonly kafka: readonly KafkaVersion[];
}

/** What every run is about. */
const USUAL: TestedVersions = {
  rabbitmq: ["3.10", "4.0"],
  redis: ["7.0", "8.0", "valkey-8.1"],
  redisCluster: ["8.0-cluster"],
  kafka: ["3.9", "4.1"],
};

/** The others. */
const MORE: TestedVersions = {
  rabbitmq: ["4.3"],
  redis: ["8.6", "valkey-9.1"],
  redisCluster: ["8.6-cluster"],
  kafka: ["4.4"],
};

/** What tests run on: every version where `PAPA_EVENTS_ALL_VERSIONS` is set, as `npm test -- --all-versions` does. */
export const testedVersions: TestedVersions = process.env.PAPA_EVENTS_ALL_VERSIONS
  ? {
      rabbitmq: [...USUAL.rabbitmq, ...MORE.rabbitmq],
      redis: [...USUAL.redis, ...MORE.redis],
      redisCluster: [...USUAL.redisCluster, ...MORE.redisCluster],
      kafka: [...USUAL.kafka, ...MORE.kafka],
    }
  : USUAL;
