import type { Broker } from "./broker.ts";
import { type KafkaVersion, kafkaSpec } from "./kafka.ts";
import { type BrokerUser, kafkaAclSpec, kafkaSaslSpec } from "./kafka-sasl.ts";
import { LIMITED, type RabbitMqAccount, type RabbitMqVersion, rabbitMqSpec } from "./rabbitmq.ts";
import { type RedisVersion, redisSpec } from "./redis.ts";
import { startBroker } from "./start.ts";
import { type TestedVersions, testedVersions } from "./versions.ts";

export { type Broker, BrokerNotOwn, BrokerUnavailable, type Way } from "./broker.ts";
export type { Cluster, ClusterNode } from "./cluster.ts";
export { kafkaCluster } from "./kafka-cluster.ts";
export { type BrokerProxy, startProxy } from "./proxy.ts";
export { rabbitMqCluster } from "./rabbitmq-cluster.ts";
export { redisCluster } from "./redis-cluster.ts";
export { redisSentinel } from "./redis-sentinel.ts";
export type { BrokerUser, KafkaVersion, RabbitMqAccount, RabbitMqVersion, RedisVersion, TestedVersions };
export { LIMITED, testedVersions };

/** A RabbitMQ; with further accounts, unless it is one from the environment. @throws BrokerUnavailable */
export function rabbitmq(version: RabbitMqVersion, accounts?: readonly RabbitMqAccount[]): Promise<Broker> {
  return startBroker(rabbitMqSpec(version, undefined, accounts));
}

/** A Redis, or a Valkey. @throws BrokerUnavailable */
export function redis(version: RedisVersion): Promise<Broker> {
  return startBroker(redisSpec(version));
}

/** A Kafka of one node. @throws BrokerUnavailable */
export function kafka(version: KafkaVersion): Promise<Broker> {
  return startBroker(kafkaSpec(version));
}

/** A Kafka of one node that asks for a login: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, or OAUTHBEARER with unsigned tokens. @throws BrokerUnavailable */
export function kafkaWithLogin(version: KafkaVersion, user: BrokerUser): Promise<Broker> {
  return startBroker(kafkaSaslSpec(version, user));
}

/** The same, where all but the user may do only what they are granted. The others log in by PLAIN, or with an unsigned token. @throws BrokerUnavailable */
export function kafkaWithRights(
  version: KafkaVersion,
  user: BrokerUser,
  others: readonly BrokerUser[] = [],
): Promise<Broker> {
  return startBroker(kafkaAclSpec(version, user, others));
}
