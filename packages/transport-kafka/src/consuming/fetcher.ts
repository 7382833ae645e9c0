import type { Cluster } from "../client/cluster.ts";
import {
  type FetchedRecord,
  type FetchResult,
  type KafkaClient,
  KafkaError,
  type Place,
} from "../client/kafka-client.ts";
import { sleep } from "../client/time-limit.ts";
import { keyOf, PartitionLog } from "./partition-log.ts";

/** How long a fetch waits at the broker; less while some partition was left out of it. */
const IDLE_WAIT = 2_000;
const SHORT_WAIT = 50;
/** No more is fetched of a partition while so many bytes of it wait. */
const ENOUGH_BYTES = 512 * 1_024;
/** A fetch brings at most half of that, so that the broker answers the next one while this one's events are handled. */
const LIMITS = { bytes: 8 * 1_048_576, bytesPerPartition: ENOUGH_BYTES / 2 };
const ERROR_PAUSE = 100;
const UNREADABLE_PAUSE = 30_000;

export interface FetcherOptions {
  readonly cluster: Cluster;
  readonly client: KafkaClient;
  /** Those of fetched records that are to be handed over; the others are done. */
  readonly wanted: (
    place: Place,
    records: readonly FetchedRecord[],
  ) => readonly FetchedRecord[] | Promise<readonly FetchedRecord[]>;
  /** Something was fetched. */
  readonly onRecords: () => void;
  /** A partition's topic was made anew: it is read as this log from now on. */
  readonly onReplaced: (log: PartitionLog, by: PartitionLog) => void;
}

/** Fills the logs of this instance's partitions, with one fetch at a time to each broker. */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #fetching = new Set<number>();
  #logs: readonly PartitionLog[] = [];
  #leaders: Map<number, PartitionLog[]> | undefined;
  /** Counts the changes of what is read. */
  #epoch = 0;
  #turn = 0;
  #finding = false;
  #doubting: NodeJS.Timeout | undefined;
  /** Until when partitions are fetched one by one. */
  #apart = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  /** Reads these from now on. A fetch for those of before may still wait at the broker: it is interrupted. */
  read(logs: readonly PartitionLog[]): void {
    this.#logs = logs;
    this.#leaders = undefined;
    this.#epoch += 1;
    this.#options.client.interruptFetches();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#doubting);
  }

  /** Fetches from every broker that is not asked yet and leads a partition with room. */
  more(): void {
    if (this.#stopped) return;
    if (this.#leaders === undefined) {
      void this.#findLeaders();
      return;
    }
    for (const [node, logs] of this.#leaders) if (!this.#fetching.has(node)) void this.#fetchFrom(node, logs);
  }

  /** Partitions by the broker that leads them; asked for again when an error casts doubt on it. */
  async #findLeaders(): Promise<void> {
    if (this.#finding) return;
    this.#finding = true;
    const { cluster } = this.#options;
    const logs = this.#logs;
    const nodes = new Map<number, PartitionLog[]>();
    for (const log of logs) {
      try {
        const node = await cluster.leader(log.place);
        const list = nodes.get(node);
        if (list === undefined) nodes.set(node, [log]);
        else list.push(log);
      } catch (error) {
        cluster.logger.debug({ error }, "A partition has no leader now.");
        this.#againLater();
      }
    }
    this.#finding = false;
    if (logs === this.#logs) this.#leaders = nodes;
    this.more();
  }

  #againLater(): void {
    if (this.#doubting !== undefined || this.#stopped) return;
    this.#doubting = setTimeout(() => {
      this.#doubting = undefined;
      this.#leaders = undefined;
      this.more();
    }, ERROR_PAUSE);
  }

  /** Fetches once from one broker, then has the rest go on. */
  async #fetchFrom(node: number, logs: readonly PartitionLog[]): Promise<void> {
    const asked = this.#withRoom(logs);
    if (asked.length === 0) return;
    this.#fetching.add(node);
    const epoch = this.#epoch;
    try {
      const results = await this.#options.client.fetch(
        node,
        asked.map(({ place, position }) => ({ ...place, offset: position })),
        { wait: asked.length < logs.length ? SHORT_WAIT : IDLE_WAIT, ...LIMITS },
      );
      const byPlace = new Map(asked.map((log) => [keyOf(log.place), log]));
      for (const result of results) {
        const log = byPlace.get(keyOf(result));
        if (log !== undefined) await this.#fetched(log, result);
      }
    } catch (error) {
      // Interrupted by a new generation: nothing is wrong.
      if (epoch === this.#epoch) await this.#failed(error, asked);
    } finally {
      this.#fetching.delete(node);
    }
    if (this.#stopped) return;
    this.#options.onRecords();
    this.more();
  }

  #withRoom(logs: readonly PartitionLog[]): readonly PartitionLog[] {
    const now = performance.now();
    const all = logs.filter((log) => log.buffered < ENOUGH_BYTES && log.pausedUntil <= now);
    if (all.length === 0 && logs.some((log) => log.pausedUntil > now)) this.#againLater();
    if (now >= this.#apart) return all;
    // One after the other while one of them cannot be read.
    const one = all[this.#turn++ % all.length];
    return one === undefined ? [] : [one];
  }

  async #fetched(log: PartitionLog, result: FetchResult): Promise<void> {
    const { position } = log;
    const epoch = this.#epoch;
    if (result.error !== undefined) {
      await this.#partitionFailed(log, result.error);
      return;
    }
    if (result.next === position || log.lost) return;
    const fresh = result.records.filter(({ offset }) => !log.wasDone(offset));
    const wanted = fresh.length === 0 ? fresh : await this.#options.wanted(log.place, fresh);
    // The group may have been joined anew meanwhile, and the partition be another's.
    if (log.lost || log.position !== position || (epoch !== this.#epoch && !this.#logs.includes(log))) return;
    log.add(wanted, result.next);
  }

  async #partitionFailed(log: PartitionLog, error: KafkaError): Promise<void> {
    const { cluster, onReplaced } = this.#options;
    cluster.doubt(log.place.topic, error);
    this.#leaders = undefined;
    log.pausedUntil = performance.now() + ERROR_PAUSE;
    if (error.type !== "OFFSET_OUT_OF_RANGE") return;
    const [earliest] = await cluster.offsets([log.place], "earliest");
    if (earliest === undefined) return;
    const about = { ...log.place, from: log.position, to: earliest.offset };
    cluster.logger.warn(about, "Kafka has deleted events before they were read; look at the topic's retention.");
    if (earliest.offset > log.position) log.skipTo(earliest.offset);
    else onReplaced(log, new PartitionLog(log.place, earliest.offset));
  }

  async #failed(error: unknown, logs: readonly PartitionLog[]): Promise<void> {
    if (this.#stopped) return;
    const { cluster, client } = this.#options;
    const lost = error instanceof KafkaError && error.type === "CONNECTION";
    if (error instanceof KafkaError && !error.retriable) this.#separate(error, logs);
    for (const { place } of logs) cluster.doubt(place.topic, error);
    cluster.logger.debug({ error }, "A fetch failed; it is tried again.");
    this.#leaders = undefined;
    await sleep(lost ? 10 : ERROR_PAUSE);
    // Brokers may have new addresses.
    await client.metadata([cluster.names.registry]).catch(() => sleep(ERROR_PAUSE));
  }

  /** Something that cannot be read, such as a batch in an unknown compression, holds up its own partition only. */
  #separate(error: KafkaError, logs: readonly PartitionLog[]): void {
    const [only] = logs;
    if (only === undefined || logs.length > 1) {
      this.#apart = performance.now() + UNREADABLE_PAUSE;
      return;
    }
    only.pausedUntil = performance.now() + UNREADABLE_PAUSE;
    const about = { error, ...only.place, offset: only.position };
    this.#options.cluster.logger.error(about, "What stands in a partition cannot be read; it is tried again.");
  }
}
