import type { OnDelivery, Settled, Settlement, SubscribeOptions, Subscription } from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import { settlesWithin } from "../client/time-limit.ts";
import type { Discovery } from "../declarations/discovery.ts";
import type { Registry } from "../declarations/registry.ts";
import type { Topology } from "../declarations/topology.ts";
import { nameOf } from "../wire/event-record.ts";
import type { FetchedRecord } from "../wire/records.ts";
import type { TopicPartition } from "../wire/topic-partition.ts";
import { KafkaDelivery, type Settler } from "./delivery.ts";
import { GroupConsumer } from "./group-consumer.ts";
import type { HeldBytes } from "./held-bytes.ts";
import type { Entry } from "./partition-log.ts";
import { type SettlementStore, storeSettlement } from "./settlement.ts";
import { StrayEvents } from "./stray-events.ts";
import { TRIM_INTERVAL_MS, trim } from "./trim.ts";

/** So few records need no announcement of their own, which takes a commit. */
const MIN_ANNOUNCED = 50;

const STORED: Promise<Settled> = Promise.resolve("stored");
const LOST: Promise<Settled> = Promise.resolve("lost");

export interface SubscriberOptions {
  readonly useCase: string;
  readonly cluster: Cluster;
  readonly topology: Topology;
  readonly registry: Registry;
  readonly discovery: Discovery;
  readonly store: SettlementStore;
  readonly held: HeldBytes;
  /** How many bytes may be fetched and not handed out yet. */
  readonly maxBuffered: () => number;
}

/**
 * Consumes a use case's events: from the topics that its patterns may match, and from its ready topic. While it is paused it
 * stays a member of the group, so that what its handlers still do can be settled.
 */
export class Subscriber implements Settler {
  readonly useCase: string;
  readonly #options: SubscriberOptions;
  readonly #consumer: GroupConsumer;
  readonly #ready: string;
  readonly #strays: StrayEvents;
  #onDelivery: OnDelivery = () => {};
  #limit: number;
  /** Counts the subscriptions: one begins with each pause that ends. */
  #subscription = 0;
  /** How many deliveries are unsettled, and how many of them are of the present subscription. */
  #unsettled = 0;
  #ownUnsettled = 0;
  #closed = false;
  readonly #onRoom = () => this.#consumer.deliverSoon();
  #trimming: NodeJS.Timeout | undefined;
  /** Settlements that are being stored. */
  readonly #storing = new Set<Promise<Settled>>();

  constructor({ readAhead, declaration }: SubscribeOptions, options: SubscriberOptions) {
    const { useCase, cluster, topology, registry, discovery } = options;
    this.useCase = useCase;
    this.#options = options;
    this.#limit = readAhead;
    this.#strays = new StrayEvents(cluster.logger);
    this.#ready = topology.ready(useCase).topic;
    this.#consumer = new GroupConsumer({
      cluster,
      group: cluster.names.group(useCase),
      declaration,
      topics: async () => {
        await discovery.refresh(useCase);
        return [this.#ready, ...discovery.topicsOf(useCase)];
      },
      startOf: (source) => (source.topic === this.#ready ? 0 : registry.startOf(useCase, source)),
      filter: (source, records) => this.#filter(source, records),
      maxBuffered: options.maxBuffered,
      hasRoom: (_, bytes, overdue) => this.#hasRoom(bytes, overdue),
      announces: () => Math.max(this.#limit, MIN_ANNOUNCED),
      deliver: (entry) => this.#deliver(entry),
      drains: true,
    });
  }

  /** Resolves when the group has been joined. @throws KafkaError that is permanent */
  async start(onDelivery: OnDelivery): Promise<Subscription> {
    this.#onDelivery = onDelivery;
    await this.#consumer.start();
    const { cluster } = this.#options;
    this.#trimming = setInterval(() => {
      // Each instance those that it reads, so that all are trimmed once.
      const own = this.#consumer.assigned.filter(({ topic }) => topic === this.#ready);
      void trim(cluster, cluster.names.group(this.useCase), own);
    }, TRIM_INTERVAL_MS);
    return this.#view();
  }

  get unsettled(): number {
    return this.#unsettled;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Reports what keeps it from consuming, or that nothing does any more. */
  reportProblem(): void {
    const { cluster } = this.#options;
    // Of a cluster that cannot be reached the connection tells.
    cluster.report(`consuming "${this.useCase}"`, cluster.reachable ? this.#consumer.problem : undefined);
  }

  /** Rejoins the group if there are topics that are not read yet. */
  check(): void {
    this.#consumer.check([this.#ready, ...this.#options.discovery.topicsOf(this.useCase)]);
  }

  /** Begins another subscription: what was delivered before does not count for its read-ahead. */
  resume({ readAhead }: SubscribeOptions, onDelivery: OnDelivery): Subscription {
    this.#onDelivery = onDelivery;
    this.#limit = readAhead;
    this.#subscription += 1;
    this.#ownUnsettled = 0;
    this.#consumer.resumeDelivering();
    return this.#view();
  }

  /** Ends without storing anything more: its use case is removed. */
  async abandon(limit: number): Promise<void> {
    this.#closed = true;
    clearInterval(this.#trimming);
    await this.#consumer.close(limit);
  }

  /** Stores the settlements in progress, commits, and leaves the group. */
  async close(limit: number): Promise<void> {
    if (this.#closed) return;
    this.#consumer.pauseDelivering();
    clearInterval(this.#trimming);
    await settlesWithin(Promise.allSettled(this.#storing), limit);
    this.#closed = true;
    await this.#consumer.close(limit);
  }

  isLost(entry: Entry): boolean {
    if (!this.#closed && (entry.log.lost || this.#consumer.expired)) {
      // It will not be settled any more: dropped here, it is delivered again if its partition comes back, or never left.
      this.#drop(entry);
      this.#consumer.rejoin();
    }
    return this.#closed || entry.settled || entry.dropped;
  }

  settle(entry: Entry, settlement: Settlement): Promise<Settled> {
    if (this.#closed || entry.settled || entry.dropped) return LOST;
    if (entry.log.lost) {
      this.#drop(entry);
      return LOST;
    }
    if (settlement.kind === "done" && settlement.outputs.length === 0) {
      this.#done(entry);
      return STORED;
    }
    if (settlement.kind === "release") {
      this.#free(entry);
      this.#consumer.release(entry);
      return STORED;
    }
    const storing = this.#store(entry, settlement);
    this.#storing.add(storing);
    const forget = () => this.#storing.delete(storing);
    storing.then(forget, forget);
    return storing;
  }

  async #store(entry: Entry, settlement: Settlement): Promise<Settled> {
    const abandoned = () => this.#closed || entry.log.lost;
    const stored = await storeSettlement(this.#options.store, this.useCase, settlement, abandoned);
    if (stored) this.#done(entry);
    else this.#drop(entry);
    return stored ? "stored" : "lost";
  }

  /** The present subscription, as whoever subscribed sees it; once another has begun, it has no effect. */
  #view(): Subscription {
    const number = this.#subscription;
    return {
      readAhead: (limit) => {
        if (number !== this.#subscription) return;
        this.#limit = limit;
        this.#consumer.deliverSoon();
      },
      stop: async () => {
        if (number === this.#subscription) this.#consumer.pauseDelivering();
      },
    };
  }

  #hasRoom(bytes: number, overdue: number): boolean {
    return this.#ownUnsettled + overdue < this.#limit && this.#options.held.hasRoomFor(bytes, this.#onRoom);
  }

  /** Frees the place of an entry that is not this instance's to settle any more. */
  #free(entry: Entry): void {
    this.#unsettled -= 1;
    if (entry.subscription === this.#subscription) this.#ownUnsettled -= 1;
    this.#options.held.giveBack(entry.bytes);
  }

  #done(entry: Entry): void {
    if (entry.settled || entry.dropped) return;
    this.#free(entry);
    this.#consumer.settle(entry);
    this.#consumer.deliverSoon();
  }

  #drop(entry: Entry): void {
    if (entry.settled || entry.dropped) return;
    this.#free(entry);
    this.#consumer.drop(entry);
    this.#consumer.deliverSoon();
  }

  /** Keeps the records that a declared pattern accepts. */
  #filter(
    source: TopicPartition,
    records: readonly FetchedRecord[],
  ): readonly FetchedRecord[] | Promise<readonly FetchedRecord[]> {
    if (source.topic === this.#ready) return records;
    const accepted = this.#accepted(source, records);
    return accepted.length === records.length ? accepted : this.#acceptedAfterRefresh(source, records);
  }

  /**
   * Before a record is skipped, the registry is read to its end after the record came. Then every pattern is known that was
   * declared before the record was published.
   */
  async #acceptedAfterRefresh(
    source: TopicPartition,
    records: readonly FetchedRecord[],
  ): Promise<readonly FetchedRecord[]> {
    await this.#options.registry.refresh();
    const accepted = this.#accepted(source, records);
    if (accepted.length < records.length) {
      const kept = new Set(accepted);
      this.#noteStrays(
        source,
        records.filter((record) => !kept.has(record)),
      );
    }
    return accepted;
  }

  #noteStrays({ topic }: TopicPartition, records: readonly FetchedRecord[]): void {
    const names = this.#options.registry.topics.namesIn(topic);
    for (const record of records)
      if (record.unreadable === undefined && names?.isStray(record) === true)
        this.#strays.note(topic, nameOf(record, undefined));
  }

  #accepted(source: TopicPartition, records: readonly FetchedRecord[]): readonly FetchedRecord[] {
    const { registry } = this.#options;
    const bindings = registry.bindings(this.useCase);
    const names = registry.topics.namesIn(source.topic);
    return records.filter((record) => {
      if (record.unreadable !== undefined) return record.offset >= registry.startOf(this.useCase, source);
      const name = names?.of(record);
      return name !== undefined && bindings.accept(name, source, record.offset);
    });
  }

  #deliver(entry: Entry): void {
    this.#unsettled += 1;
    this.#ownUnsettled += 1;
    entry.subscription = this.#subscription;
    this.#options.held.take(entry.bytes);
    const { record, log } = entry;
    const names = this.#options.registry.topics.namesIn(log.source.topic);
    this.#onDelivery(new KafkaDelivery(entry, this, names?.of(record) ?? nameOf(record, undefined)));
  }
}
