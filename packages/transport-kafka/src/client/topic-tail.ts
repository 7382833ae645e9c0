import type { Cluster } from "./cluster.ts";
import { type FetchedRecord, KafkaError } from "./kafka-client.ts";
import { SharedRun } from "./shared-run.ts";

const LIMITS = { wait: 0, bytes: 16 * 1_048_576, bytesPerPartition: 4 * 1_048_576 };

/** Reads a topic of one partition from its beginning, and again to its end whenever that is asked for. */
export class Tail {
  readonly topic: string;
  readonly #cluster: Cluster;
  readonly #onRecord: (record: FetchedRecord) => void;
  readonly #run: SharedRun;
  #position = 0;

  constructor(cluster: Cluster, topic: string, onRecord: (record: FetchedRecord) => void) {
    this.#cluster = cluster;
    this.topic = topic;
    this.#onRecord = onRecord;
    this.#run = new SharedRun(() => this.#read());
  }

  /** Resolves when everything has been read that was stored before the call. A topic that is not there is empty. */
  refresh(): Promise<void> {
    return this.#run.call();
  }

  async #read(): Promise<void> {
    const place = { topic: this.topic, partition: 0 };
    const cluster = this.#cluster;
    const exists = await cluster.retried(async () => (await cluster.topics([this.topic])).has(this.topic));
    if (!exists) return;
    const [end] = await cluster.offsets([place], "latest");
    if (end === undefined) return;
    while (this.#position < end.offset) {
      await cluster.retried(async () => {
        const [result] = await this.#fetch(place);
        if (result === undefined) return;
        if (result.error?.type === "OFFSET_OUT_OF_RANGE") {
          const [earliest] = await cluster.offsets([place], "earliest");
          this.#position = Math.max(earliest?.offset ?? 0, 0);
          return;
        }
        if (result.error !== undefined) {
          cluster.doubt(this.topic, result.error);
          throw result.error;
        }
        for (const record of result.records) this.#onRecord(record);
        // Nothing but the end of a compacted log is left.
        this.#position = result.records.length === 0 && result.next === this.#position ? end.offset : result.next;
      });
    }
  }

  async #fetch(place: { topic: string; partition: number }) {
    try {
      const node = await this.#cluster.leader(place);
      return await this.#cluster.client.fetch(node, [{ ...place, offset: this.#position }], LIMITS);
    } catch (error) {
      if (error instanceof KafkaError) this.#cluster.doubt(this.topic, error);
      throw error;
    }
  }
}
