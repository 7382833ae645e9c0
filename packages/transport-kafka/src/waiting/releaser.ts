import type { Cluster } from "../client/cluster.ts";
import { settlesWithin } from "../client/time-limit.ts";
import { GroupConsumer } from "../consuming/group-consumer.ts";
import type { Entry } from "../consuming/partition-log.ts";
import { TRIM_INTERVAL_MS, trim } from "../consuming/trim.ts";
import type { Topology } from "../declarations/topology.ts";
import type { Publisher } from "../publishing/publisher.ts";
import { readDelay } from "../wire/delay-record.ts";
import type { KafkaRecord } from "../wire/records.ts";
import type { TopicPartition } from "../wire/topic-partition.ts";
import { DeadlineHeap } from "./deadline-heap.ts";

/** No more waiting events of one partition are held in memory; the others stay at the broker. */
const MAX_HELD_PER_PARTITION = 10_000;
const MAX_RELEASED_AT_ONCE = 500;
const RETRY_DELAY_MS = 200;
/** Node.js fires a longer timer at once. */
const MAX_TIMER_MS = 2_147_483_647;

interface Held {
  readonly entry: Entry;
  readonly useCase: string;
}

/**
 * Sends waiting events back to their use cases when they are due. All apps of a namespace share this work.
 *
 * Due times follow the broker's clock, since a record's time is the broker's. The broker's current time is the time of the
 * latest record plus the time since. That never runs ahead of the broker, so no event is early, whatever local clocks say.
 */
export class Releaser {
  readonly #cluster: Cluster;
  readonly #publisher: Publisher;
  readonly #consumer: GroupConsumer;
  /** Waiting events by partition, ordered by when they are due on the broker's clock. */
  readonly #heaps = new Map<number, DeadlineHeap<Held>>();
  /** A lower bound for the broker's clock minus the monotonic clock, by partition. */
  readonly #clocks = new Map<number, number>();
  #timer: NodeJS.Timeout | undefined;
  #trimming: NodeJS.Timeout | undefined;
  /** The release in progress. */
  #releasing: Promise<void> | undefined;
  #closed = false;
  #assigned: readonly TopicPartition[] = [];

  constructor(cluster: Cluster, topology: Topology, publisher: Publisher) {
    this.#cluster = cluster;
    this.#publisher = publisher;
    this.#consumer = new GroupConsumer({
      cluster,
      group: cluster.names.releaser,
      topics: async () => {
        await topology.ensure([topology.delays]);
        return [topology.delays.topic];
      },
      startOf: () => 0,
      filter: ({ partition }, records) => {
        const last = records.at(-1);
        if (last !== undefined) this.#updateClock(partition, last.time);
        return records;
      },
      hasRoom: (log) => log.unsettled < MAX_HELD_PER_PARTITION,
      deliver: (entry) => this.#hold(entry),
      drains: false,
      // What has been released must be committed. Otherwise the next owner of the partition releases it again.
      beforeRejoin: async () => this.#releasing,
      onAssigned: (assigned) => {
        this.#assigned = assigned;
        void this.#askTime(assigned);
      },
    });
  }

  start(): void {
    this.#consumer.start().catch((error: unknown) => {
      if (!this.#closed) this.#cluster.logger.error({ err: error }, "This app cannot release waiting events.");
    });
    this.#trimming = setInterval(() => {
      void trim(this.#cluster, this.#cluster.names.releaser, this.#assigned);
    }, TRIM_INTERVAL_MS);
  }

  async close(limit: number): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#trimming);
    if (this.#releasing !== undefined) await settlesWithin(this.#releasing, limit);
    await this.#consumer.close(limit);
  }

  /** Holds a waiting event until it is due. */
  #hold(entry: Entry): void {
    const delay = readDelay(entry.record);
    if (delay === undefined) {
      this.#consumer.settle(entry);
      return;
    }
    const { partition } = entry.log.source;
    this.#updateClock(partition, entry.record.time);
    this.#add(entry.record.time + delay.delay, { entry, useCase: delay.useCase });
    this.#setTimer();
  }

  #add(due: number, held: Held): void {
    const { partition } = held.entry.log.source;
    let heap = this.#heaps.get(partition);
    if (heap === undefined) this.#heaps.set(partition, (heap = new DeadlineHeap()));
    heap.add(due, held);
  }

  /** Sets the timer for the earliest waiting event. */
  #setTimer(): void {
    clearTimeout(this.#timer);
    if (this.#closed || this.#releasing !== undefined || !this.#consumer.joined) return;
    let earliest = Number.POSITIVE_INFINITY;
    for (const [partition, { first }] of this.#heaps)
      if (first !== undefined) earliest = Math.min(earliest, first.at - this.#now(partition));
    if (earliest === Number.POSITIVE_INFINITY) return;
    const wait = Math.max(Math.ceil(earliest) + 1, 0);
    this.#timer = setTimeout(() => this.#release(), Math.min(wait, MAX_TIMER_MS));
  }

  #release(): void {
    if (this.#releasing !== undefined || this.#closed || !this.#consumer.joined) return;
    const due = this.#takeDue();
    this.#releasing = this.#requeue(due).finally(() => {
      this.#releasing = undefined;
      if (due.length > 0) this.#consumer.deliverSoon();
      this.#setTimer();
    });
  }

  #takeDue(): Held[] {
    const due: Held[] = [];
    for (const [partition, heap] of this.#heaps) {
      const now = this.#now(partition);
      while (due.length < MAX_RELEASED_AT_ONCE && heap.first !== undefined && heap.first.at <= now) {
        const held = heap.shift();
        if (held !== undefined && !held.entry.log.lost && !held.entry.settled) due.push(held);
      }
    }
    return due;
  }

  async #requeue(due: readonly Held[]): Promise<void> {
    const problems = await this.#publisher.requeue(
      due.map(({ entry: { record }, useCase }) => ({
        useCase,
        record: { key: null, value: record.value, headers: record.headers },
      })),
    );
    for (const [index, held] of due.entries()) {
      const problem = problems[index];
      if (problem === undefined) {
        this.#consumer.settle(held.entry);
        continue;
      }
      this.#cluster.logger.debug({ err: problem }, "A waiting event could not be released; trying again.");
      this.#add(this.#now(held.entry.log.source.partition) + RETRY_DELAY_MS, held);
    }
  }

  /** The broker's time is at least this. */
  #now(partition: number): number {
    return performance.now() + this.#clockOf(partition);
  }

  #clockOf(partition: number): number {
    return this.#clocks.get(partition) ?? Number.NEGATIVE_INFINITY;
  }

  #updateClock(partition: number, time: number): void {
    const clock = time - performance.now();
    if (clock > this.#clockOf(partition)) this.#clocks.set(partition, clock);
  }

  /** Stores an empty record in each partition to learn the broker's time, since no other record may come. */
  async #askTime(partitions: readonly TopicPartition[]): Promise<void> {
    try {
      const record: KafkaRecord = { key: null, value: Buffer.alloc(0) };
      for (const [node, list] of await this.#cluster.byLeader(partitions)) {
        const batches = list.map((source) => ({ ...source, records: [record] }));
        for (const { partition, time, error } of await this.#cluster.client.produce(node, batches))
          if (error === undefined && time > 0) this.#updateClock(partition, time);
      }
    } catch (error) {
      this.#cluster.logger.debug({ err: error }, "The broker's time is not known yet; waiting events may be late.");
    }
    this.#setTimer();
  }
}
