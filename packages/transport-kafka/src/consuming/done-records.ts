import type { Cluster } from "../client/cluster.ts";
import type { Commit } from "../client/kafka-client.ts";
import { readRecords } from "../client/read-records.ts";
import { doneRecord, readDoneRecord, readPointer } from "../wire/done-record.ts";
import type { DoneRuns } from "../wire/done-runs.ts";
import { partitionKey, type TopicPartition } from "../wire/topic-partition.ts";
import type { PartitionLog } from "./partition-log.ts";

/** Keeps what is done above a commit and does not fit in its metadata, as records of the partition itself. */
export class DoneRecords {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Stores what the next commits of these logs have no room for. Never rejects: what is not stored is handled again. */
  async store(logs: readonly PartitionLog[]): Promise<void> {
    const cluster = this.#cluster;
    const unfit = logs.flatMap((log) => {
      const runs = log.unfitRuns();
      return runs === undefined ? [] : [{ ...log.source, log, mark: log.mark, runs }];
    });
    if (unfit.length === 0) return;
    try {
      for (const [node, list] of await cluster.byLeader(unfit)) {
        const batches = list.map(({ topic, partition, mark, runs }) => {
          return { topic, partition, records: [doneRecord(mark, runs)] };
        });
        const stored = new Map(
          (await cluster.client.produce(node, batches)).map((result) => [partitionKey(result), result]),
        );
        for (const { log } of list) {
          const result = stored.get(partitionKey(log.source));
          if (result !== undefined && result.error === undefined) log.doneAt(result.offset);
        }
      }
    } catch (error) {
      cluster.logger.debug({ err: error }, "What is done could not be stored; some of it is handled again.");
    }
  }

  /** Reads what commits point at. Never rejects. */
  async load(commits: readonly Commit[]): Promise<ReadonlyMap<string, DoneRuns>> {
    const loaded = new Map<string, DoneRuns>();
    for (const commit of commits) {
      const done = await this.of(commit, commit.metadata);
      if (done !== undefined) loaded.set(partitionKey(commit), done);
    }
    return loaded;
  }

  /** Reads what the metadata of a partition's commit points at. Never rejects. */
  async of({ topic, partition }: TopicPartition, metadata: string): Promise<DoneRuns | undefined> {
    const offset = readPointer(metadata);
    if (offset === undefined) return undefined;
    try {
      const record = (await readRecords(this.#cluster, { topic, partition }, [offset])).get(offset);
      return record === undefined ? undefined : readDoneRecord(record);
    } catch (error) {
      this.#cluster.logger.debug({ err: error }, "What is done could not be read; some of it is handled again.");
      return undefined;
    }
  }
}
