import type { Cluster } from "../client/cluster.ts";
import type { Commit, Place } from "../client/kafka-client.ts";
import type { Discovery } from "../declarations/discovery.ts";
import type { Registry } from "../declarations/registry.ts";
import type { Storage } from "../publishing/publisher.ts";
import { DELAY_PARTITIONS, readWaiting } from "../waiting/delays.ts";
import { DoneRuns } from "../wire/done-runs.ts";

const LIMITS = { wait: 0, bytes: 16 * 1_048_576, bytesPerPartition: 4 * 1_048_576 };

export interface InspectionOptions {
  readonly cluster: Cluster;
  readonly registry: Registry;
  readonly discovery: Discovery;
  readonly storage: Storage;
}

/** Counts what a use case holds, from what its group has committed. */
export class Inspection {
  readonly #options: InspectionOptions;

  constructor(options: InspectionOptions) {
    this.#options = options;
  }

  /** How many events are neither done nor waiting, handed out ones included; an upper bound while unwanted ones are unread. */
  async open(useCase: string): Promise<number> {
    const { cluster, registry, discovery, storage } = this.#options;
    await discovery.refresh(useCase);
    const ready = storage.ready(useCase).topic;
    const topics = await cluster.retried(() => cluster.topics([ready, ...discovery.topicsOf(useCase)]));
    const places = [...topics].flatMap(([topic, { partitions }]) =>
      partitions.map(({ partition }) => ({ topic, partition })),
    );
    const marks = await this.#marks(cluster.names.group(useCase), places);
    const ends = await cluster.offsets(places, "latest");
    return ends.reduce((sum, end) => {
      const known = marks.get(keyOf(end));
      const mark = known?.offset ?? (end.topic === ready ? 0 : registry.startOf(useCase, end));
      const done = known === undefined ? 0 : new DoneRuns(mark, known.metadata).count;
      return sum + Math.max(end.offset - mark - done, 0);
    }, 0);
  }

  /** How many events of a use case wait for their retry: all that wait are looked through. */
  async waiting(useCase: string): Promise<number> {
    const { cluster, storage } = this.#options;
    const { topic } = storage.delays;
    if (!(await cluster.retried(() => cluster.topics([topic]))).has(topic)) return 0;
    const places = Array.from({ length: DELAY_PARTITIONS }, (_, partition) => ({ topic, partition }));
    const marks = await this.#marks(cluster.names.releaser, places);
    const ends = await cluster.offsets(places, "latest");
    let count = 0;
    for (const end of ends) {
      const mark = marks.get(keyOf(end));
      count += await this.#countWaiting(useCase, end, mark?.offset ?? 0, end.offset, mark?.metadata ?? "");
    }
    return count;
  }

  async #countWaiting(useCase: string, place: Place, from: number, to: number, metadata: string): Promise<number> {
    const { cluster } = this.#options;
    const { topic, partition } = place;
    const done = new DoneRuns(from, metadata);
    let count = 0;
    for (let offset = from; offset < to; ) {
      const result = await cluster.retried(async () => {
        const node = await cluster.leader(place);
        const [fetched] = await cluster.client.fetch(node, [{ topic, partition, offset }], LIMITS);
        if (fetched?.error !== undefined && fetched.error.type !== "OFFSET_OUT_OF_RANGE") {
          cluster.doubt(topic, fetched.error);
          throw fetched.error;
        }
        return fetched;
      });
      // Trimmed meanwhile: what was there is done.
      if (result === undefined || result.error !== undefined || result.next === offset) break;
      count += result.records.filter(
        (record) => !done.has(record.offset) && readWaiting(record)?.useCase === useCase,
      ).length;
      offset = result.next;
    }
    return count;
  }

  async #marks(group: string, places: readonly Place[]): Promise<ReadonlyMap<string, Commit>> {
    const { cluster } = this.#options;
    const committed = await cluster.retried(async () => {
      const node = await cluster.client.coordinator(group);
      return cluster.client.committed(node, group, places);
    });
    return new Map(committed.filter(({ offset }) => offset >= 0).map((commit) => [keyOf(commit), commit]));
  }
}

function keyOf({ topic, partition }: Place): string {
  return `${partition} ${topic}`;
}
