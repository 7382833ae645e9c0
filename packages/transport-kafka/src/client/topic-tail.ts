import type { FetchedRecord } from "../wire/records.ts";
import type { Cluster } from "./cluster.ts";
import { fetchOne } from "./fetch-one.ts";
import { SharedRun } from "./shared-run.ts";

/** Reads a topic of one partition from its beginning, and on to its current end at each refresh. */
export class TopicTail {
  readonly topic: string;
  readonly #cluster: Cluster;
  readonly #onRecord: (record: FetchedRecord) => void;
  readonly #onReset: () => void;
  readonly #run: SharedRun;
  #position = 0;
  #id: number | undefined;

  /** @param onReset called when the topic is gone, or was deleted and made anew: it is then read from its beginning */
  constructor(
    cluster: Cluster,
    topic: string,
    onRecord: (record: FetchedRecord) => void,
    onReset: () => void = () => {},
  ) {
    this.#cluster = cluster;
    this.topic = topic;
    this.#onRecord = onRecord;
    this.#onReset = onReset;
    this.#run = new SharedRun(() => this.#read());
  }

  /** Resolves when everything that was stored before the call has been read. A missing topic counts as empty. */
  refresh(): Promise<void> {
    return this.#run.call();
  }

  async #read(): Promise<void> {
    const source = { topic: this.topic, partition: 0 };
    const cluster = this.#cluster;
    const end = await cluster.retried(async () => {
      // It may be deleted at any time.
      if (!(await cluster.topics([this.topic])).has(this.topic)) return undefined;
      return (await cluster.offsetsOnce([source], "latest"))[0];
    });
    cluster.assertNotRefused(this.topic);
    if (end === undefined) {
      this.#reset();
      return;
    }
    const id = cluster.idOf(this.topic);
    if ((this.#id !== undefined && id !== undefined && this.#id !== id) || end.offset < this.#position) this.#reset();
    this.#id = id;
    while (this.#position < end.offset) {
      await cluster.retried(async () => {
        const result = await fetchOne(cluster, source, this.#position);
        if (result.error !== undefined) {
          const [earliest] = await cluster.offsets([source], "earliest");
          this.#position = Math.max(earliest?.offset ?? 0, 0);
          return;
        }
        for (const record of result.records) this.#onRecord(record);
        // Compaction may have removed the last records, so that nothing is left to read.
        this.#position = result.records.length === 0 && result.next === this.#position ? end.offset : result.next;
      });
    }
  }

  #reset(): void {
    if (this.#position === 0) return;
    this.#position = 0;
    this.#id = undefined;
    this.#onReset();
  }
}
