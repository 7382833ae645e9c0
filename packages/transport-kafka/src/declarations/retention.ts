import type { Cluster } from "../client/cluster.ts";

/** Kafka's default retention bounds how long a use case may be away. */
const WEEK_IN_MINUTES = 7 * 24 * 60;
const WEEK_MS = WEEK_IN_MINUTES * 60_000;

/** Warns of retention that may remove events before a use case that is away has read them. Never rejects. */
export async function warnOfShortRetention(cluster: Cluster, eventTopics: readonly string[]): Promise<void> {
  const { client, logger } = cluster;
  try {
    const { nodes } = await cluster.refresh([]);
    const [node] = nodes;
    const configs = node === undefined ? undefined : await client.describeConfigs("broker", [String(node)]);
    const minutes = Number(configs?.get(String(node))?.["offsets.retention.minutes"]);
    if (minutes > 0 && minutes < WEEK_IN_MINUTES)
      logger.warn(
        { minutes },
        "After offsets.retention.minutes the broker forgets how far an absent use case has read; set it to a week or more.",
      );
    if (eventTopics.length === 0) return;
    for (const [topic, { "retention.ms": text }] of await client.describeConfigs("topic", eventTopics)) {
      const retention = Number(text);
      if (retention >= 0 && retention < WEEK_MS)
        logger.warn(
          { topic, retention },
          "This topic keeps events for less than a week; a use case that is away for longer loses them.",
        );
    }
  } catch (error) {
    // The account may not be allowed to read settings.
    logger.debug({ err: error }, "The broker's retention could not be read.");
  }
}
