import type { Delivery, OnDelivery, ReceivedEvent, Settlement, Subscription } from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import type { FetchedRecord, Place } from "../client/kafka-client.ts";
import type { Discovery } from "../declarations/discovery.ts";
import type { Registry } from "../declarations/registry.ts";
import type { Storage } from "../publishing/publisher.ts";
import { attemptOf, eventOf, nameOf } from "../wire/event-record.ts";
import { GroupConsumer } from "./group-consumer.ts";
import type { Entry } from "./partition-log.ts";
import { trim } from "./trim.ts";

const DONE = Promise.resolve();
const TRIM_INTERVAL = 60_000;

export interface SubscriberOptions {
  readonly useCase: string;
  readonly cluster: Cluster;
  readonly registry: Registry;
  readonly discovery: Discovery;
  readonly storage: Storage;
  readonly onDelivery: OnDelivery;
}

/** A use case being consumed: from the topics that its patterns may match, and from where its retries come back. */
export class Subscriber implements Subscription {
  readonly useCase: string;
  readonly #options: SubscriberOptions;
  readonly #consumer: GroupConsumer;
  readonly #ready: string;
  #limit: number;
  #unsettled = 0;
  #closed = false;
  #trimming: NodeJS.Timeout | undefined;
  /** Settlements that are being stored. */
  readonly #storing = new Set<Promise<void>>();

  constructor(readAhead: number, options: SubscriberOptions) {
    const { useCase, cluster, storage, discovery } = options;
    this.useCase = useCase;
    this.#options = options;
    this.#limit = readAhead;
    this.#ready = storage.ready(useCase).topic;
    this.#consumer = new GroupConsumer({
      cluster,
      group: cluster.names.group(useCase),
      topics: async () => {
        await discovery.refresh(useCase);
        return [this.#ready, ...discovery.topicsOf(useCase)];
      },
      startOf: (place) => (place.topic === this.#ready ? 0 : options.registry.startOf(useCase, place)),
      wanted: (place, records) => this.#wanted(place, records),
      room: () => this.#unsettled < this.#limit,
      hand: (entry) => this.#deliver(entry),
      drains: true,
    });
  }

  /** Resolves when the group has been joined. */
  async start(): Promise<void> {
    await this.#consumer.start();
    const { cluster } = this.#options;
    this.#trimming = setInterval(() => {
      void trim(cluster, cluster.names.group(this.useCase), [{ topic: this.#ready, partition: 0 }]);
    }, TRIM_INTERVAL);
  }

  get unsettled(): number {
    return this.#unsettled;
  }

  /** Joins anew if there are topics that are not read yet. */
  check(): void {
    this.#consumer.check([this.#ready, ...this.#options.discovery.topicsOf(this.useCase)]);
  }

  readAhead(limit: number): void {
    this.#limit = limit;
    this.#consumer.wantMore();
  }

  async stop(): Promise<void> {
    this.#consumer.stopHanding();
  }

  /** Stores what is being settled, commits, and leaves the group. */
  async close(limit: number): Promise<void> {
    this.#consumer.stopHanding();
    clearInterval(this.#trimming);
    await Promise.race([
      Promise.allSettled(this.#storing),
      new Promise((resolve) => setTimeout(resolve, limit).unref()),
    ]);
    this.#closed = true;
    await this.#consumer.close(limit);
  }

  settle(entry: Entry, settlement: Settlement): Promise<void> {
    if (this.#closed || entry.settled || entry.dropped) return DONE;
    if (entry.log.lost) {
      this.#drop(entry);
      return DONE;
    }
    if (settlement.kind === "done" && settlement.outputs.length === 0) {
      this.#done(entry);
      return DONE;
    }
    if (settlement.kind === "release") {
      this.#unsettled -= 1;
      this.#consumer.giveBack(entry);
      return DONE;
    }
    const storing = this.#store(settlement, () => this.#closed || entry.log.lost).then((stored) => {
      if (stored) this.#done(entry);
      else this.#drop(entry);
    });
    this.#storing.add(storing);
    const forget = () => this.#storing.delete(storing);
    storing.then(forget, forget);
    return storing;
  }

  #done(entry: Entry): void {
    if (entry.settled || entry.dropped) return;
    this.#unsettled -= 1;
    this.#consumer.settle(entry);
    this.#consumer.wantMore();
  }

  #drop(entry: Entry): void {
    if (entry.settled || entry.dropped) return;
    this.#unsettled -= 1;
    this.#consumer.drop(entry);
    this.#consumer.wantMore();
  }

  /** Resolves to whether it is stored; it is not when that was given up. */
  async #store(settlement: Settlement, givenUp: () => boolean): Promise<boolean> {
    const { storage } = this.#options;
    switch (settlement.kind) {
      case "done":
        return storage.outputs(settlement.outputs, givenUp);
      case "retry":
      case "hand-on":
        return storage.delay(this.useCase, settlement.delay, settlement.event, givenUp);
      case "dead":
        return storage.bury(this.useCase, settlement.id, settlement.event, givenUp);
      case "release":
        return false;
    }
  }

  /**
   * What a declared pattern wants. Before anything is skipped the registry is read to its end, by a look that began after
   * the records came: whoever declared a pattern before one of them was published is known then.
   */
  async #wantedSlowly(place: Place, records: readonly FetchedRecord[]): Promise<readonly FetchedRecord[]> {
    await this.#options.registry.refresh();
    return this.#filtered(place, records);
  }

  #wanted(
    place: Place,
    records: readonly FetchedRecord[],
  ): readonly FetchedRecord[] | Promise<readonly FetchedRecord[]> {
    if (place.topic === this.#ready) return records;
    const wanted = this.#filtered(place, records);
    return wanted.length === records.length ? wanted : this.#wantedSlowly(place, records);
  }

  #filtered(place: Place, records: readonly FetchedRecord[]): readonly FetchedRecord[] {
    const { registry, cluster } = this.#options;
    const topicName = cluster.names.eventName(place.topic);
    return records.filter((record) => registry.wants(this.useCase, nameOf(record, topicName), place, record.offset));
  }

  #deliver(entry: Entry): void {
    this.#unsettled += 1;
    this.#options.onDelivery(
      new KafkaDelivery(entry, this, this.#options.cluster.names.eventName(entry.log.place.topic)),
    );
  }
}

/** A record as a delivery. */
class KafkaDelivery implements Delivery {
  readonly event: ReceivedEvent;
  readonly attempt: number;
  /** Offsets carry no count. */
  readonly crashes = 0;
  readonly #entry: Entry;
  readonly #subscriber: Subscriber;

  constructor(entry: Entry, subscriber: Subscriber, topicName: string | undefined) {
    const { record, log } = entry;
    this.event = eventOf(record, nameOf(record, topicName), `${log.place.topic}-${log.place.partition}`);
    this.attempt = attemptOf(record);
    this.#entry = entry;
    this.#subscriber = subscriber;
  }

  settle(settlement: Settlement): Promise<void> {
    return this.#subscriber.settle(this.#entry, settlement);
  }
}
