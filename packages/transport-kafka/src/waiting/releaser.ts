import type { Cluster } from "../client/cluster.ts";
import type { KafkaRecord, Place } from "../client/kafka-client.ts";
import { inTime } from "../client/time-limit.ts";
import { GroupConsumer } from "../consuming/group-consumer.ts";
import type { Entry } from "../consuming/partition-log.ts";
import { trim } from "../consuming/trim.ts";
import type { Topics } from "../declarations/topology.ts";
import type { Storage } from "../publishing/publisher.ts";
import { DeadlineHeap } from "./deadline-heap.ts";
import { readWaiting } from "./delays.ts";

/** How many waiting events of one partition are held; the others wait at the broker. */
const MOST_HELD = 10_000;
const MOST_AT_ONCE = 500;
const AGAIN = 200;
const LONGEST_TIMER = 2_147_483_647;
const TRIM_INTERVAL = 60_000;

interface Held {
  readonly entry: Entry;
  readonly useCase: string;
}

/**
 * Puts waiting events back to their use cases when they are due, for the whole namespace; all apps share this work.
 *
 * Due is by the broker's clock: a record's time is the broker's, and how far the broker is now is known from the latest
 * record that came, plus the time since. That is never ahead of the broker, so nothing is early, whatever clocks say.
 */
export class Releaser {
  readonly #cluster: Cluster;
  readonly #storage: Storage;
  readonly #consumer: GroupConsumer;
  /** What waits, by partition, in the order of when it is due by the broker's clock. */
  readonly #heaps = new Map<number, DeadlineHeap<Held>>();
  /** The broker's clock less the monotonic one, at least, by partition. */
  readonly #clocks = new Map<number, number>();
  #timer: NodeJS.Timeout | undefined;
  #trimming: NodeJS.Timeout | undefined;
  /** What is being put back now. */
  #releasing: Promise<void> | undefined;
  #closed = false;
  #places: readonly Place[] = [];

  constructor(cluster: Cluster, topics: Topics, storage: Storage) {
    this.#cluster = cluster;
    this.#storage = storage;
    this.#consumer = new GroupConsumer({
      cluster,
      group: cluster.names.releaser,
      topics: async () => {
        await topics.ensure([storage.delays]);
        return [storage.delays.topic];
      },
      startOf: () => 0,
      wanted: (place, records) => {
        const last = records.at(-1);
        if (last !== undefined) this.#tick(place.partition, last.time);
        return records;
      },
      room: (log) => log.unsettled < MOST_HELD,
      hand: (entry) => this.#hold(entry),
      drains: false,
      // What has been put back must be committed, or whoever gets the partition puts it back again.
      beforeJoining: async () => this.#releasing,
      onAssigned: (places) => {
        this.#places = places;
        void this.#askTime(places);
      },
    });
  }

  start(): void {
    this.#consumer.start().catch((error: unknown) => {
      if (!this.#closed) this.#cluster.logger.error({ error }, "Waiting events cannot be released by this app.");
    });
    this.#trimming = setInterval(() => {
      void trim(this.#cluster, this.#cluster.names.releaser, this.#places);
    }, TRIM_INTERVAL);
  }

  async close(limit: number): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#trimming);
    if (this.#releasing !== undefined) await inTime(this.#releasing, limit);
    await this.#consumer.close(limit);
  }

  #hold(entry: Entry): void {
    const waiting = readWaiting(entry.record);
    if (waiting === undefined) {
      this.#consumer.settle(entry);
      return;
    }
    const { partition } = entry.log.place;
    this.#tick(partition, entry.record.time);
    this.#add(entry.record.time + waiting.delay, { entry, useCase: waiting.useCase });
    this.#plan();
  }

  #clockOf(partition: number): number {
    return this.#clocks.get(partition) ?? Number.NEGATIVE_INFINITY;
  }

  #tick(partition: number, time: number): void {
    const clock = time - performance.now();
    if (clock > this.#clockOf(partition)) this.#clocks.set(partition, clock);
  }

  /** After a pause no record may come that tells the time: one is stored for it. */
  async #askTime(places: readonly Place[]): Promise<void> {
    try {
      const record: KafkaRecord = { key: null, value: Buffer.alloc(0) };
      for (const [node, list] of await this.#cluster.byLeader(places)) {
        const batches = list.map((place) => ({ ...place, records: [record] }));
        for (const { partition, time, error } of await this.#cluster.client.produce(node, batches))
          if (error === undefined && time > 0) this.#tick(partition, time);
      }
    } catch (error) {
      this.#cluster.logger.debug({ error }, "The broker's time is not known yet; waiting events may be late.");
    }
    this.#plan();
  }

  #add(due: number, held: Held): void {
    const { partition } = held.entry.log.place;
    let heap = this.#heaps.get(partition);
    if (heap === undefined) this.#heaps.set(partition, (heap = new DeadlineHeap()));
    heap.add(due, held);
  }

  #plan(): void {
    clearTimeout(this.#timer);
    if (this.#closed || this.#releasing !== undefined || !this.#consumer.joined) return;
    let least = Number.POSITIVE_INFINITY;
    for (const [partition, { first }] of this.#heaps)
      if (first !== undefined) least = Math.min(least, first.at - this.#now(partition));
    if (least === Number.POSITIVE_INFINITY) return;
    const wait = Math.max(Math.ceil(least) + 1, 0);
    this.#timer = setTimeout(() => this.#release(), Math.min(wait, LONGEST_TIMER));
  }

  /** The broker's time, at most. */
  #now(partition: number): number {
    return performance.now() + this.#clockOf(partition);
  }

  #release(): void {
    if (this.#releasing !== undefined || this.#closed || !this.#consumer.joined) return;
    const due = this.#takeDue();
    this.#releasing = this.#putBack(due).finally(() => {
      this.#releasing = undefined;
      if (due.length > 0) this.#consumer.wantMore();
      this.#plan();
    });
  }

  async #putBack(due: readonly Held[]): Promise<void> {
    const problems = await this.#storage.putBack(
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
      this.#cluster.logger.debug({ error: problem }, "A waiting event could not be put back; it is tried again.");
      this.#add(this.#now(held.entry.log.place.partition) + AGAIN, held);
    }
  }

  #takeDue(): Held[] {
    const due: Held[] = [];
    for (const [partition, heap] of this.#heaps) {
      const now = this.#now(partition);
      while (due.length < MOST_AT_ONCE && heap.first !== undefined && heap.first.at <= now) {
        const held = heap.shift();
        if (held !== undefined && !held.entry.log.lost && !held.entry.settled) due.push(held);
      }
    }
    return due;
  }
}
