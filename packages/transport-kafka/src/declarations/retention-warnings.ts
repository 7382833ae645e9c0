import type { Cluster } from "../client/cluster.ts";

/** How long a use case may be away by default: what Kafka itself keeps unless told otherwise. */
const WEEK_IN_MINUTES = 7 * 24 * 60;
const WEEK = WEEK_IN_MINUTES * 60_000;

/** Warns of settings that let events go before a use case that is away has read them. Never fails. */
export async function warnOfLimits(cluster: Cluster, eventTopics: readonly string[]): Promise<void> {
  const { client, logger } = cluster;
  try {
    const { nodes } = await cluster.refresh([]);
    const [node] = nodes;
    const configs = node === undefined ? undefined : await client.describeConfigs("broker", [String(node)]);
    const offsets = Number(configs?.get(String(node))?.["offsets.retention.minutes"]);
    if (offsets > 0 && offsets < WEEK_IN_MINUTES)
      logger.warn(
        { minutes: offsets },
        "The broker forgets after offsets.retention.minutes what a use case has done that is away; set it to at least a week.",
      );
    if (eventTopics.length === 0) return;
    for (const [topic, { "retention.ms": text }] of await client.describeConfigs("topic", eventTopics)) {
      const retention = Number(text);
      if (retention >= 0 && retention < WEEK)
        logger.warn(
          { topic, retention },
          "A topic of events keeps them for less than a week; what a use case that is away has not read by then is gone.",
        );
    }
  } catch (error) {
    // An account may not be allowed to look.
    logger.debug({ error }, "The broker's limits could not be read.");
  }
}
