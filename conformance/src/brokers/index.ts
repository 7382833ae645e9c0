import type { Broker } from "./broker.ts";
import { clusterOf } from "./cluster.ts";
import { clusterId, type KafkaVersion, kafkaSpec } from "./kafka.ts";
import { type BrokerUser, kafkaSaslSpec } from "./kafka-sasl.ts";
import { freePorts } from "./net.ts";
import { LIMITED, type RabbitMqVersion, rabbitMqSpec } from "./rabbitmq.ts";
import { type RedisVersion, redisSpec } from "./redis.ts";
import { startBroker, startNode } from "./start.ts";
import { type TestedVersions, testedVersions } from "./versions.ts";

export { type Broker, BrokerNotOwn, BrokerUnavailable, type Way } from "./broker.ts";
export { type BrokerProxy, startProxy } from "./proxy.ts";
export type { BrokerUser, KafkaVersion, RabbitMqVersion, RedisVersion, TestedVersions };
export { LIMITED, testedVersions };

/** A RabbitMQ. @throws BrokerUnavailable */
export function rabbitmq(version: RabbitMqVersion): Promise<Broker> {
  return startBroker(rabbitMqSpec(version));
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

/** A cluster of three Kafka brokers, natively, with three copies of everything and two of them in sync. @throws BrokerUnavailable */
export async function kafkaCluster(version: KafkaVersion): Promise<Broker> {
  const cluster = clusterId();
  const controllers = await freePorts(3);
  const start = (id: number) => startNode(kafkaSpec(version, { id, cluster, controllers }));
  // None of them serves before most of them run.
  const nodes = await Promise.all([start(1), start(2), start(3)]);
  return clusterOf(nodes, (addresses) => `kafka://${addresses.join(",")}`);
}
