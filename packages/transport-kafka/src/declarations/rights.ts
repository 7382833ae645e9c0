import type { Cluster } from "../client/cluster.ts";
import { KafkaError } from "../wire/kafka-error.ts";
import type { Operation } from "../wire/operations.ts";
import type { Registry } from "./registry.ts";
import type { Topology } from "./topology.ts";

type Need = readonly [topic: string, operations: readonly Operation[]];

/**
 * Checks what this account must be allowed to do with the topics of use cases that it declares, as far as the brokers tell
 * (L1). What it cannot do for others, it warns of.
 *
 * @param eventTopics those that are read for the patterns' literal first words
 * @throws KafkaError naming all that is missing
 */
export async function checkRights(
  cluster: Cluster,
  topology: Topology,
  useCases: readonly string[],
  eventTopics: readonly string[],
): Promise<void> {
  const ready = useCases.map((useCase) => topology.ready(useCase).topic);
  const dead = useCases.map((useCase) => topology.deadLetters(useCase).topic);
  const { topic: delays } = topology.delays;
  const needs: readonly Need[] = [
    [topology.registry.topic, ["Read", "Write"]],
    [delays, ["Write"]],
    ...ready.map((topic): Need => [topic, ["Read", "Write"]]),
    ...dead.map((topic): Need => [topic, ["Write"]]),
    ...eventTopics.map((topic): Need => [topic, ["Read"]]),
  ];
  const rights = await cluster.retried(() => cluster.client.rights(needs.map(([topic]) => topic)));
  const missing = needs.flatMap(([topic, operations]) =>
    operations.filter((operation) => rights.get(topic)?.has(operation) === false).map((each) => `${each} "${topic}"`),
  );
  if (missing.length > 0)
    throw new KafkaError("TOPIC_AUTHORIZATION_FAILED", `this account may not ${missing.join(", ")}`, false);
  const untrimmed = [delays, ...ready].filter((topic) => rights.get(topic)?.has("Delete") === false);
  if (untrimmed.length > 0)
    cluster.logger.warn(
      { topics: untrimmed },
      "This account may not delete records of these topics, which grow unless another app may; grant it Delete.",
    );
}

/** The use cases whose retries this account cannot bring back, as far as the brokers tell. @throws KafkaError */
export async function unreleasable(
  cluster: Cluster,
  topology: Topology,
  registry: Registry,
): Promise<readonly string[]> {
  const { useCases } = registry;
  const topicOf = (useCase: string) => topology.ready(useCase).topic;
  const rights = await cluster.retried(() => cluster.client.rights(useCases.map(topicOf)));
  // One of which it may not even know is absent, and so is one that does not exist.
  return useCases.filter((useCase) => rights.get(topicOf(useCase))?.has("Write") === false);
}
