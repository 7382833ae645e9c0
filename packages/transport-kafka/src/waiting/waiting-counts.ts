import type { Cluster } from "../client/cluster.ts";
import { fetchOne } from "../client/fetch-one.ts";
import { SharedRun } from "../client/shared-run.ts";
import { DoneRecords } from "../consuming/done-records.ts";
import type { Registry } from "../declarations/registry.ts";
import type { Topology } from "../declarations/topology.ts";
import { DELAY_PARTITIONS, readDelay } from "../wire/delay-record.ts";
import { DoneRuns, readRuns } from "../wire/done-runs.ts";
import { partitionKey, type TopicPartition } from "../wire/topic-partition.ts";

/** Counts the events that wait for their retry. It reads everything that waits in the namespace, once for all who ask meanwhile. */
export class WaitingCounts {
  readonly #cluster: Cluster;
  readonly #topology: Topology;
  readonly #registry: Registry;
  readonly #run = new SharedRun(() => this.#count());
  #counts: ReadonlyMap<string, number> = new Map();

  constructor(cluster: Cluster, topology: Topology, registry: Registry) {
    this.#cluster = cluster;
    this.#topology = topology;
    this.#registry = registry;
  }

  /** How many events of a use case wait. @throws KafkaError */
  async of(useCase: string): Promise<number> {
    await this.#run.call();
    return this.#counts.get(useCase) ?? 0;
  }

  /** How many events wait in all. @throws KafkaError */
  async all(): Promise<number> {
    await this.#run.call();
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  async #count(): Promise<void> {
    const cluster = this.#cluster;
    const { topic } = this.#topology.delays;
    const counts = new Map<string, number>();
    if ((await cluster.retried(() => cluster.topics([topic]))).has(topic)) {
      const all = Array.from({ length: DELAY_PARTITIONS }, (_, partition) => ({ topic, partition }));
      const commits = await cluster.commits(cluster.names.releaser, all);
      for (const end of await cluster.offsets(all, "latest")) {
        const commit = commits.get(partitionKey(end));
        const from = commit?.offset ?? 0;
        const metadata = commit?.metadata ?? "";
        const done = readRuns(from, metadata).and((await new DoneRecords(cluster).of(end, metadata)) ?? DoneRuns.NONE);
        await this.#countIn(end, from, end.offset, done, counts);
      }
    }
    this.#counts = counts;
  }

  async #countIn(
    { topic, partition }: TopicPartition,
    from: number,
    to: number,
    done: DoneRuns,
    counts: Map<string, number>,
  ): Promise<void> {
    const cluster = this.#cluster;
    for (let offset = from; offset < to; ) {
      const result = await cluster.retried(() => fetchOne(cluster, { topic, partition }, offset));
      // An offset that was trimmed in the meantime was done.
      if (result.error !== undefined || result.next === offset) break;
      for (const record of result.records) {
        const useCase = readDelay(record)?.useCase;
        if (useCase === undefined || done.has(record.offset)) continue;
        if (this.#registry.removed.include(useCase, result, record.offset)) continue;
        counts.set(useCase, (counts.get(useCase) ?? 0) + 1);
      }
      offset = result.next;
    }
  }
}
