import type { Cluster } from "../client/cluster.ts";
import type { KafkaClient } from "../client/kafka-client.ts";
import { sleep } from "../client/time-limit.ts";
import { KafkaError } from "../wire/kafka-error.ts";
import type { FetchedRecord, FetchResult } from "../wire/records.ts";
import { partitionKey, type TopicPartition } from "../wire/topic-partition.ts";
import { HeldUpPartitions } from "./held-up-partitions.ts";
import type { PartitionLog } from "./partition-log.ts";

/** How long a fetch waits at the broker. */
const LONG_POLL_MS = 2_000;
/** How long while it leaves out some partition, which may have room in a moment; longer each time that nothing came. */
const MIN_SHORT_POLL_MS = 5;
const MAX_SHORT_POLL_MS = 50;
/** A partition with so many bytes not yet delivered is not fetched. */
const MAX_BUFFERED_BYTES = 512 * 1_024;
/** A fetch returns at most half of that, so that the broker answers the next one while these events are handled. */
const MAX_FETCHED_PER_PARTITION = MAX_BUFFERED_BYTES / 2;
const MAX_FETCHED_BYTES = 8 * 1_048_576;
/** However little room is left. */
const MIN_FETCHED_BYTES = 16_384;
/** Asking for a partition costs some microseconds, whether it has anything or not: this bounds what thousands of them cost. */
const PARTITIONS_PER_REST_MS = 100;
const MIN_REST_MS = 5;
const MAX_REST_MS = 500;
const ERROR_PAUSE_MS = 100;
const LOST_CONNECTION_PAUSE_MS = 10;
const UNREADABLE_PAUSE_MS = 30_000;
/** What is damaged so often in a row is so at the broker. */
const MAX_DAMAGES = 3;

export interface FetcherOptions {
  readonly cluster: Cluster;
  readonly client: KafkaClient;
  /** Chooses the fetched records to deliver; the others count as done. */
  readonly filter: (
    source: TopicPartition,
    records: readonly FetchedRecord[],
  ) => readonly FetchedRecord[] | Promise<readonly FetchedRecord[]>;
  /** How many bytes may be fetched and not delivered, all partitions together (H9); a fetch may go beyond it once. */
  readonly maxBuffered: () => number;
  /** Called after each fetch. */
  readonly onRecords: () => void;
  /** Called when a partition of this instance turns out to be a new one under the old name: from now on it is to be read from `offset`. */
  readonly onReplaced: (source: TopicPartition, offset: number) => void;
}

/** How a broker is asked. */
interface Broker {
  isAsked: boolean;
  /** Which of the partitions that it leads comes first in its next fetch. */
  turn: number;
  /** How long its next fetch waits that leaves out some partition. */
  shortPoll: number;
}

/** Fetches records into the logs of this instance's partitions, with one fetch at a time from each broker. */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #brokers = new Map<number, Broker>();
  #logs: readonly PartitionLog[] = [];
  #byKey: ReadonlyMap<string, PartitionLog> = new Map();
  #leaders: Map<number, PartitionLog[]> | undefined;
  /** Incremented whenever the logs change. */
  #epoch = 0;
  #finding = false;
  #retryTimer: NodeJS.Timeout | undefined;
  /** Until when partitions are fetched one by one. */
  #isolatingUntil = Number.NEGATIVE_INFINITY;
  #stopped = false;
  #paused = false;
  readonly #heldUp = new HeldUpPartitions();

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  /** Reads these logs from now on. It interrupts fetches for the previous ones, which may still wait at the broker. */
  read(logs: readonly PartitionLog[]): void {
    this.#logs = logs;
    this.#byKey = new Map(logs.map((log) => [log.key, log]));
    this.#leaders = undefined;
    this.#epoch += 1;
    this.#heldUp.keepOnly(logs.map(({ source }) => source));
    this.#options.client.interruptFetches();
  }

  /** What keeps partitions from being read, if anything does. */
  get problem(): string | undefined {
    return this.#heldUp.problem;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retryTimer);
  }

  /** Fetches nothing more for now; what a fetch that is under way brings is kept. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.fetchMore();
  }

  /** Fetches from every idle broker that leads a partition whose log has room. */
  fetchMore(): void {
    if (this.#stopped || this.#paused) return;
    if (this.#leaders === undefined) {
      void this.#findLeaders();
      return;
    }
    const { size } = this.#leaders;
    for (const [node, logs] of this.#leaders) if (!this.#broker(node).isAsked) void this.#fetchFrom(node, logs, size);
  }

  /** Groups the logs by the broker that leads their partition; repeated after errors. */
  async #findLeaders(): Promise<void> {
    if (this.#finding) return;
    this.#finding = true;
    const { cluster } = this.#options;
    const logs = this.#logs;
    const nodes = new Map<number, PartitionLog[]>();
    let problem: unknown;
    for (const log of logs) {
      try {
        const node = await cluster.leader(log.source);
        // It waits for its events to be handled and not for a broker, and is not asked for until they are.
        if (!hasRoom(log)) this.#heldUp.over(log.source);
        if (this.#isReplaced(log)) {
          this.#finding = false;
          this.#replace(log, 0);
          return;
        }
        const list = nodes.get(node);
        if (list === undefined) nodes.set(node, [log]);
        else list.push(log);
      } catch (error) {
        problem ??= error;
        this.#note(log, "it has no leader");
      }
    }
    this.#finding = false;
    if (logs === this.#logs) this.#leaders = nodes;
    if (problem !== undefined) {
      cluster.logger.debug({ err: problem }, "Some partitions have no leader at the moment.");
      // Now and not when it was found: a look that was planned before may have come, and gone, meanwhile.
      this.#retryLater();
    }
    this.fetchMore();
  }

  /** Whether the topic was deleted and made anew. */
  #isReplaced({ source, topicId }: PartitionLog): boolean {
    const now = this.#options.cluster.idOf(source.topic);
    return topicId !== undefined && now !== undefined && topicId !== now;
  }

  #replace(log: PartitionLog, offset: number): void {
    const { cluster, onReplaced } = this.#options;
    const about = { ...log.source, from: log.position, to: offset };
    cluster.logger.warn(about, "A topic was deleted and made anew; it is read from its beginning.");
    onReplaced(log.source, offset);
    this.fetchMore();
  }

  /** Notes what keeps a partition from being read; while no broker answers, none is to blame. */
  #note({ source }: PartitionLog, problem: string): void {
    if (this.#options.cluster.reachable) this.#heldUp.note(source, problem);
    else this.#heldUp.over(source);
  }

  #retryLater(): void {
    if (this.#retryTimer !== undefined || this.#stopped) return;
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.#leaders = undefined;
      this.fetchMore();
    }, ERROR_PAUSE_MS);
  }

  #broker(node: number): Broker {
    let broker = this.#brokers.get(node);
    if (broker === undefined)
      this.#brokers.set(node, (broker = { isAsked: false, turn: 0, shortPoll: MIN_SHORT_POLL_MS }));
    return broker;
  }

  /** Fetches once from one broker, then triggers the next fetches. @param brokers how many share the room there is */
  async #fetchFrom(node: number, logs: readonly PartitionLog[], brokers: number): Promise<void> {
    const room = this.#options.maxBuffered() - this.#logs.reduce((sum, { buffered }) => sum + buffered, 0);
    const broker = this.#broker(node);
    const fetched = room <= 0 ? [] : this.#withRoom(logs, broker);
    if (fetched.length === 0) return;
    const bytes = Math.max(MIN_FETCHED_BYTES, Math.min(Math.floor(room / brokers), MAX_FETCHED_BYTES));
    broker.isAsked = true;
    const epoch = this.#epoch;
    try {
      const asked = fetched.map(({ source, position }) => ({ ...source, offset: position }));
      const results = await this.#options.client.fetch(node, asked, {
        wait: fetched.length < logs.length ? shortPoll(broker) : LONG_POLL_MS,
        bytes,
        bytesPerPartition: Math.min(bytes, MAX_FETCHED_PER_PARTITION),
      });
      if (results.some(({ records }) => records.length > 0)) broker.shortPoll = MIN_SHORT_POLL_MS;
      const positions = new Map(fetched.map(({ key }, index) => [key, asked[index]?.offset]));
      for (const result of results) await this.#fetched(result, positions.get(partitionKey(result)), epoch);
      const rest = restAfter(results, fetched.length);
      if (rest > 0 && !this.#stopped) {
        this.#options.onRecords();
        await sleep(rest);
      }
    } catch (error) {
      // A fetch that a new generation interrupted did not fail.
      if (epoch === this.#epoch) await this.#failed(error, fetched);
    } finally {
      broker.isAsked = false;
    }
    if (this.#stopped) return;
    this.#options.onRecords();
    this.fetchMore();
  }

  #withRoom(logs: readonly PartitionLog[], broker: Broker): readonly PartitionLog[] {
    const now = performance.now();
    const all = logs.filter((log) => hasRoom(log) && log.pausedUntil <= now);
    if (all.length === 0 && logs.some((log) => log.pausedUntil > now)) this.#retryLater();
    const first = broker.turn++ % Math.max(all.length, 1);
    // While one of them cannot be read, they are fetched in turn.
    if (now < this.#isolatingUntil) return all.slice(first, first + 1);
    // A large batch is returned only from the first partition that has anything: each must be the first in its turn.
    return [...all.slice(first), ...all.slice(0, first)];
  }

  /** @param position what was asked for */
  async #fetched(result: FetchResult, position: number | undefined, epoch: number): Promise<void> {
    const log = this.#byKey.get(partitionKey(result));
    // While others of this response were waited for, it may have been read again, or have come to an end.
    if (log === undefined || log.position !== position || epoch !== this.#epoch) return;
    if (result.error !== undefined) {
      await this.#partitionFailed(log, result.error);
      return;
    }
    log.endsAt(result.highWatermark);
    log.damages = result.damaged === true ? log.damages + 1 : 0;
    if (log.damages > 0 && log.damages < MAX_DAMAGES) {
      // On its way here, or by one replica.
      log.pausedUntil = performance.now() + ERROR_PAUSE_MS;
      return;
    }
    if (result.next === position && result.highWatermark > position)
      this.#note(log, "nothing can be read of it, as behind an open transaction of another program");
    else this.#heldUp.over(log.source);
    if (result.next === position || log.lost) return;
    const fresh = result.records.filter(({ offset }) => !log.wasDone(offset));
    for (const { offset, unreadable } of fresh)
      if (unreadable !== undefined) this.#warnOfUnreadable(log, offset, unreadable);
    const accepted = fresh.length === 0 ? fresh : await this.#options.filter(log.source, fresh);
    // The group may have been joined again meanwhile, and the partition may be somebody else's.
    if (log.lost || log.deliveryPaused || log.position !== position || !this.#logs.includes(log)) return;
    log.add(accepted, result.next);
  }

  #warnOfUnreadable({ source }: PartitionLog, offset: number, problem: string): void {
    this.#options.cluster.logger.error(
      { ...source, offset, problem },
      "A batch of records cannot be read; it is passed on whole.",
    );
  }

  async #partitionFailed(log: PartitionLog, error: KafkaError): Promise<void> {
    const { cluster } = this.#options;
    cluster.invalidate(log.source.topic, error);
    this.#leaders = undefined;
    log.pausedUntil = performance.now() + ERROR_PAUSE_MS;
    if (error.type !== "OFFSET_OUT_OF_RANGE") {
      this.#note(log, error.message);
      return;
    }
    const [earliest] = await cluster.offsets([log.source], "earliest");
    // The group may have been joined again meanwhile, and the partition may be somebody else's.
    if (earliest === undefined || log.lost || !this.#logs.includes(log)) return;
    if (earliest.offset <= log.position) {
      this.#replace(log, earliest.offset);
      return;
    }
    const about = { ...log.source, from: log.position, to: earliest.offset };
    cluster.logger.warn(about, "Kafka deleted events before they were read; check the topic's retention.");
    log.skipTo(earliest.offset);
  }

  async #failed(error: unknown, logs: readonly PartitionLog[]): Promise<void> {
    if (this.#stopped) return;
    const { cluster, client } = this.#options;
    const lost = error instanceof KafkaError && error.type === "CONNECTION";
    if (error instanceof KafkaError && !error.retriable) this.#isolate(error, logs);
    for (const log of logs) {
      cluster.invalidate(log.source.topic, error);
      this.#note(log, error instanceof Error ? error.message : String(error));
    }
    cluster.logger.debug({ err: error }, "A fetch failed; trying again.");
    this.#leaders = undefined;
    await sleep(lost ? LOST_CONNECTION_PAUSE_MS : ERROR_PAUSE_MS);
    // The brokers may have new addresses.
    await client.metadata([cluster.names.registry]).catch(() => sleep(ERROR_PAUSE_MS));
  }

  /** Finds the partition that cannot be read, say for an unknown compression, so that it holds up only itself. */
  #isolate(error: KafkaError, logs: readonly PartitionLog[]): void {
    const [only] = logs;
    if (only === undefined || logs.length > 1) {
      this.#isolatingUntil = performance.now() + UNREADABLE_PAUSE_MS;
      return;
    }
    only.pausedUntil = performance.now() + UNREADABLE_PAUSE_MS;
    const about = { err: error, ...only.source, offset: only.position };
    this.#options.cluster.logger.error(about, "A partition holds something that cannot be read; trying again.");
  }
}

function hasRoom({ buffered, deliveryPaused }: PartitionLog): boolean {
  return buffered < MAX_BUFFERED_BYTES && !deliveryPaused;
}

function shortPoll(broker: Broker): number {
  const wait = broker.shortPoll;
  broker.shortPoll = Math.min(2 * wait, MAX_SHORT_POLL_MS);
  return wait;
}

/** How long more events are let come before so many partitions are asked for again, of which few had any. */
function restAfter(results: readonly FetchResult[], partitions: number): number {
  const rest = Math.min(partitions / PARTITIONS_PER_REST_MS, MAX_REST_MS);
  if (rest < MIN_REST_MS) return 0;
  const records = results.reduce((sum, result) => sum + result.records.length, 0);
  return records * 10 < partitions ? rest : 0;
}
