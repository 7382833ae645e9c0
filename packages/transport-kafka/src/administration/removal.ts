import type { Cluster } from "../client/cluster.ts";
import { sleep } from "../client/time-limit.ts";
import { LetterIndex } from "../dead-letters/letter-index.ts";
import { endsOf } from "../declarations/ends.ts";
import type { Registry } from "../declarations/registry.ts";
import type { Topology } from "../declarations/topology.ts";
import { KafkaError } from "../wire/kafka-error.ts";

/** Every app reads the registry once a second; until then it may still make anew what is deleted. */
const MIN_NOTICE_MS = 1_500;
/** Apps of earlier versions never notice. */
const MAX_NOTICE_MS = 10_000;
const LOOK_INTERVAL_MS = 100;

export interface RemovalOptions {
  readonly cluster: Cluster;
  readonly topology: Topology;
  readonly registry: Registry;
}

/**
 * Removes a use case (R9). One record in the registry undoes all that was declared; the rest follows when those who run it
 * have left: its topics, and its group with what it has committed.
 *
 * @returns whether there was anything of it
 */
export async function removeUseCase(
  useCase: string,
  deadLetters: "keep" | "purge",
  { cluster, topology, registry }: RemovalOptions,
): Promise<boolean> {
  const group = cluster.names.group(useCase);
  const ready = topology.ready(useCase).topic;
  const dead = topology.deadLetters(useCase).topic;
  await registry.refresh();
  const { topics } = await cluster.retried(() => cluster.refresh([ready, dead]));
  cluster.assertNotRefused(ready);
  if (!registry.has(useCase) && !registry.paused.has(useCase) && topics.size === 0) return false;
  const keepsLetters = deadLetters === "keep" && topics.has(dead) && (await hasLetters(cluster, dead));
  const delays = topology.delays.topic;
  await cluster.retried(() => cluster.refresh([delays]));
  await registry.remove(useCase, (await endsOf(cluster, [delays])).get(delays) ?? {}, keepsLetters);
  await untilLeft(cluster, group);
  await registry.refresh();
  // Somebody may have declared it anew.
  if (!registry.removed.has(useCase)) return true;
  await deleteTopics(cluster, topology, keepsLetters ? [ready] : [ready, dead]);
  await deleteGroup(cluster, group);
  return true;
}

/** Whether anything is left of a use case that was removed but its name. */
export async function hasRemains(useCase: string, cluster: Cluster, topology: Topology): Promise<boolean> {
  const ready = topology.ready(useCase).topic;
  const dead = topology.deadLetters(useCase).topic;
  const { topics } = await cluster.retried(() => cluster.refresh([ready, dead]));
  return topics.has(ready) || (topics.has(dead) && (await hasLetters(cluster, dead)));
}

async function hasLetters(cluster: Cluster, topic: string): Promise<boolean> {
  const index = new LetterIndex(cluster, topic);
  await index.refresh();
  return index.size > 0;
}

/** Waits until nobody handles its events any more. */
async function untilLeft(cluster: Cluster, group: string): Promise<void> {
  const begun = performance.now();
  for (;;) {
    const members = await cluster
      .retried(async () => cluster.client.describeGroup(await cluster.client.coordinator(group), group))
      .then((description) => description.members)
      // It may be older than that request, or not allow it.
      .catch(() => 0);
    const waited = performance.now() - begun;
    if (waited >= MAX_NOTICE_MS || (members === 0 && waited >= MIN_NOTICE_MS)) return;
    await sleep(LOOK_INTERVAL_MS);
  }
}

async function deleteTopics(cluster: Cluster, topology: Topology, topics: readonly string[]): Promise<void> {
  const refused = await cluster.retried(async () => {
    const errors = await cluster.client.deleteTopics(topics);
    const others = errors.filter(({ error }) => error.type !== "UNKNOWN_TOPIC_OR_PARTITION");
    const transient = others.find(({ error }) => error.retriable);
    if (transient !== undefined) throw transient.error;
    return others;
  });
  for (const topic of topics) topology.forget(topic);
  const [first] = refused;
  if (first !== undefined)
    throw new KafkaError(first.error.type, `Topic "${first.topic}" cannot be deleted: ${first.error.message}`, false);
  await cluster.retried(async () => {
    const [left] = (await cluster.refresh(topics)).topics.keys();
    if (left !== undefined) throw new KafkaError("PENDING", `Topic "${left}" is not deleted yet.`, true);
  });
}

/** Without it, what it has committed expires by itself. */
async function deleteGroup(cluster: Cluster, group: string): Promise<void> {
  try {
    await cluster.retried(async () => cluster.client.deleteGroup(await cluster.client.coordinator(group), group));
  } catch (error) {
    cluster.logger.debug({ err: error, group }, "A consumer group could not be deleted.");
  }
}
