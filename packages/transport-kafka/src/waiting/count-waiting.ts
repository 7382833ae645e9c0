import type { Cluster } from "../client/cluster.ts";
import type { Topology } from "../declarations/topology.ts";
import { DELAY_PARTITIONS, readDelay } from "../wire/delay-record.ts";
import { DoneRuns } from "../wire/done-runs.ts";
import { partitionKey, type TopicPartition } from "../wire/topic-partition.ts";

const FETCH_LIMITS = { wait: 0, bytes: 16 * 1_048_576, bytesPerPartition: 4 * 1_048_576 };

/** Counts a use case's events that wait for their retry. It reads everything that waits in the namespace. */
export async function countWaiting(useCase: string, cluster: Cluster, topology: Topology): Promise<number> {
  const { topic } = topology.delays;
  if (!(await cluster.retried(() => cluster.topics([topic]))).has(topic)) return 0;
  const all = Array.from({ length: DELAY_PARTITIONS }, (_, partition) => ({ topic, partition }));
  const commits = await cluster.commits(cluster.names.releaser, all);
  const ends = await cluster.offsets(all, "latest");
  let count = 0;
  for (const end of ends) {
    const commit = commits.get(partitionKey(end));
    const from = commit?.offset ?? 0;
    const done = new DoneRuns(from, commit?.metadata ?? "");
    count += await countIn(cluster, useCase, end, from, end.offset, done);
  }
  return count;
}

async function countIn(
  cluster: Cluster,
  useCase: string,
  { topic, partition }: TopicPartition,
  from: number,
  to: number,
  done: DoneRuns,
): Promise<number> {
  let count = 0;
  for (let offset = from; offset < to; ) {
    const result = await cluster.retried(async () => {
      const node = await cluster.leader({ topic, partition });
      const [fetched] = await cluster.client.fetch(node, [{ topic, partition, offset }], FETCH_LIMITS);
      if (fetched?.error !== undefined && fetched.error.type !== "OFFSET_OUT_OF_RANGE") {
        cluster.invalidate(topic, fetched.error);
        throw fetched.error;
      }
      return fetched;
    });
    // An offset that was trimmed in the meantime was done.
    if (result === undefined || result.error !== undefined || result.next === offset) break;
    count += result.records.filter(
      (record) => !done.has(record.offset) && readDelay(record)?.useCase === useCase,
    ).length;
    offset = result.next;
  }
  return count;
}
