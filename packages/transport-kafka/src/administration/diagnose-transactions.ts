import type { Finding } from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import { sleep } from "../client/time-limit.ts";
import { partitionKey, type TopicPartition } from "../wire/topic-partition.ts";

/** A transaction that stands for so long is no ordinary one. */
const LOOK_AGAIN_MS = 1_000;

/** Finds transactions of other programs behind which nothing can be read. */
export async function transactionFindings(cluster: Cluster, topics: readonly string[]): Promise<readonly Finding[]> {
  try {
    const before = await held(cluster, topics);
    if (before.size === 0) return [];
    await sleep(LOOK_AGAIN_MS);
    const after = await held(cluster, topics);
    return [...after].flatMap(([key, { source, offset, behind }]): Finding[] =>
      before.get(key)?.offset !== offset
        ? []
        : [
            {
              severity: "warning",
              what: `The topic "${source.topic}" holds an open transaction in partition ${source.partition}; ${behind} events stand behind it.`,
              why: "Another program has begun it; nothing behind it can be read until it is committed or aborted.",
              remedy: `kafka-transactions.sh find-hanging --topic ${source.topic} --partition ${source.partition}, then abort it`,
            },
          ],
    );
  } catch (error) {
    cluster.logger.debug({ err: error }, "Open transactions could not be looked for.");
    return [];
  }
}

interface Held {
  readonly source: TopicPartition;
  readonly offset: number;
  readonly behind: number;
}

async function held(cluster: Cluster, topics: readonly string[]): Promise<ReadonlyMap<string, Held>> {
  const known = await cluster.topics(topics);
  const all = [...known].flatMap(([topic, { partitions }]) =>
    partitions.filter(({ leader }) => leader >= 0).map(({ partition }) => ({ topic, partition })),
  );
  const stable = await cluster.offsets(all, "stable");
  const ends = new Map((await cluster.offsets(all, "latest")).map((end) => [partitionKey(end), end.offset]));
  return new Map(
    stable.flatMap(({ topic, partition, offset }) => {
      const key = partitionKey({ topic, partition });
      const behind = (ends.get(key) ?? offset) - offset;
      return behind > 0 ? [[key, { source: { topic, partition }, offset, behind }] as const] : [];
    }),
  );
}
