import { randomUUID } from "node:crypto";
import type { OnDelivery, Subscription } from "@papa-events/core/transport";
import { within } from "../client/time-limit.ts";
import { leave } from "../scripts/leave.ts";
import { consumerName, GROUP, RELEASED_CONSUMER } from "../wire/keys.ts";
import { type ReceivedEntry, StreamDelivery } from "./delivery.ts";
import type { HeldBytes } from "./held-bytes.ts";
import { LeaseKeeper, type LeaseKeeperOptions } from "./lease-keeper.ts";
import { Ledger } from "./ledger.ts";
import { Reader, type ReaderOptions } from "./reader.ts";
import { Settlements, type SettlementsOptions } from "./settlements.ts";

/** Stands for a declaration in the name of a consumer that takes nothing any more. */
const NO_DECLARATION = "stopped";
/** How long closing waits for the server. If it is away, others take over when the lease ends. */
const CLOSE_TIMEOUT_MS = 1_000;
/** How many entries one script releases when a consumer leaves. */
const MAX_RELEASED_AT_ONCE = 1_000;

export interface SubscriberOptions
  extends Omit<ReaderOptions, "onReadProblem">,
    Omit<LeaseKeeperOptions, "declaration" | "onLeaseProblem">,
    Omit<SettlementsOptions, "ledger" | "onSettled" | "onWaiting" | "onLeaseEnded" | "onProblem"> {
  /** What all use cases of the app have handed out. */
  readonly held: HeldBytes;
  readonly onDelivery: OnDelivery;
  readonly onProblem: (subject: string, problem: string | undefined) => void;
  /** Called when it needs nothing any more. */
  readonly onClosed: (subscriber: Subscriber) => void;
}

/** Consumes one use case's queue for one app. */
export class Subscriber implements Subscription {
  readonly #options: SubscriberOptions;
  readonly #declaration: string;
  readonly #ledger: Ledger;
  readonly #settlements: Settlements;
  readonly #reader: Reader;
  readonly #leaseKeeper: LeaseKeeper;
  /** Received beyond the limits or after the stop, and handed out as soon as there is room. */
  readonly #surplus: StreamDelivery[] = [];
  /** Under way since the lease has ended, or since it was stopped. */
  #adopting: Promise<void> | undefined;
  #open = true;
  #closed = false;
  #removed = false;
  #stopping: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(declaration: string, options: SubscriberOptions) {
    const { useCase, onProblem } = options;
    this.#options = options;
    this.#declaration = declaration;
    options.held.join();
    options.readAhead.join(this);
    this.#ledger = new Ledger(this.#newConsumer(), options.held);
    this.#settlements = new Settlements({
      ...options,
      ledger: this.#ledger,
      onSettled: () => this.onRoom(),
      onWaiting: (delay) => this.#leaseKeeper.onWaiting(delay),
      onLeaseEnded: (consumer) => this.onLeaseEnded(consumer),
      onProblem: (problem) => onProblem(`acknowledging "${useCase}"`, problem),
    });
    this.#leaseKeeper = new LeaseKeeper(this, {
      ...options,
      declaration,
      onLeaseProblem: (problem) => onProblem(`lease of "${useCase}"`, problem),
    });
    this.#reader = new Reader(this, {
      ...options,
      onReadProblem: (problem) => {
        if (!this.#removed) onProblem(`consuming "${useCase}"`, problem);
      },
    });
  }

  get useCase(): string {
    return this.#options.useCase;
  }

  get consumer(): string {
    return this.#ledger.consumer;
  }

  get open(): boolean {
    return this.#open;
  }

  get room(): number {
    if (!this.takes) return 0;
    return this.#options.readAhead.room(this);
  }

  /** Whether it would take more if the read-ahead let it. */
  get takes(): boolean {
    return this.#open && this.#surplus.length === 0 && this.roomBytes > 0;
  }

  get held(): number {
    return this.#ledger.size;
  }

  get handedOut(): number {
    return this.#ledger.handedOut;
  }

  get roomBytes(): number {
    return this.#options.held.roomToReceive(this);
  }

  entries(): ReadonlySet<string> {
    return new Set(this.#ledger.list().map(({ entry }) => entry));
  }

  /** Starts to consume. @throws PapaError */
  async start(): Promise<void> {
    await this.#reader.open();
    await this.#leaseKeeper.start();
    this.#reader.start();
  }

  /** Takes an entry that the server has delivered to the present consumer. */
  deliver(received: ReceivedEntry): void {
    const delivery = new StreamDelivery(received, this.#settlements);
    this.#ledger.add(delivery);
    if (this.#surplus.length > 0 || !this.#handOut(delivery)) this.#surplus.push(delivery);
  }

  exclusively<T>(act: () => Promise<T>): Promise<T> {
    return this.#leaseKeeper.exclusively(act);
  }

  onReplyLost(): void {
    this.#reader.onReplyLost();
  }

  /**
   * Renews the lease at once, and compares what the server says is pending with what is known here. After a failover, or
   * a restart that lost the last second, events may be pending again whose settlement was stored before.
   */
  onReconnect(): void {
    this.#leaseKeeper.lookWithin(0);
    this.#reader.onReplyLost();
    this.#reader.interrupt();
    void this.#retire();
  }

  /** A lease went on running meanwhile, and entries may have been taken over in a reply that was lost. */
  onControlReconnect(): void {
    this.#leaseKeeper.lookWithin(0);
    this.onReplyLost();
    void this.#retire();
  }

  /** Goes on as a new consumer. Resolves when it has adopted what others have not taken over; the rest is lost. */
  onLeaseEnded(consumer: string): Promise<void> {
    if (this.#ledger.consumer !== consumer || this.#closed) return Promise.resolve();
    this.#adopting ??= this.#adopt(consumer).finally(() => {
      this.#adopting = undefined;
    });
    return this.#adopting;
  }

  async adoptLate(entries: readonly ReceivedEntry[]): Promise<void> {
    await this.exclusively(async () => {
      const to = this.consumer;
      const ids = entries.map(({ entry }) => entry);
      const adopted = await this.#leaseKeeper.adopt(entries[0]?.consumer ?? to, to, ids);
      for (const each of entries) if (adopted.has(each.entry)) this.deliver({ ...each, consumer: to });
    });
  }

  onRoom(): void {
    this.wake();
    this.#options.readAhead.notify(this);
    if (!this.#open) void this.#retire();
  }

  /** Hands out what waits for room, then takes more. */
  wake(): void {
    for (let next = this.#surplus.shift(); next !== undefined; next = this.#surplus.shift()) {
      // Out of the list first: whoever is handed it may change the read-ahead, which comes back to here.
      if (next.lost || this.#handOut(next)) continue;
      this.#surplus.unshift(next);
      break;
    }
    if (this.#surplus.length === 0 && this.#open) this.#leaseKeeper.onRoom();
    this.#reader.wake();
  }

  readAhead(limit: number): void {
    this.#options.readAhead.limit = limit;
    this.onRoom();
  }

  /** What is unsettled stays this consumer's. Once all of it is settled, the consumer leaves. */
  stop(): Promise<void> {
    this.#open = false;
    this.#stopping ??= this.#stop().then(() => void this.#retire());
    return this.#stopping;
  }

  /** Flushes settlements and releases what is unsettled. */
  close(): Promise<void> {
    this.#open = false;
    this.#stopping ??= this.#stop();
    this.#closing ??= this.#close(this.#stopping);
    return this.#closing;
  }

  /** The use case is gone, and all that was delivered of it is no longer anybody's. */
  async onRemoved(): Promise<void> {
    this.#open = false;
    this.#removed = true;
    this.#surplus.length = 0;
    this.#ledger.clear();
    await this.close();
  }

  async #stop(): Promise<void> {
    await this.#reader.stop();
    this.#options.readAhead.leave(this);
    // What is being taken over arrives before this, and is released with the rest.
    await untilClosed(this.exclusively(async () => {}));
    const surplus = this.#surplus.splice(0).reverse();
    await untilClosed(Promise.all(surplus.map((delivery) => delivery.settle({ kind: "release" }))));
    if (this.#ledger.size > 0) await untilClosed(this.#stopTaking());
  }

  /**
   * Goes on as a consumer of no declaration: what is forwarded to this one's is for those who take it. All else that the
   * server has delivered, in replies that were lost, is released.
   */
  async #stopTaking(): Promise<void> {
    await this.#adopting;
    const { consumer } = this;
    this.#adopting = this.#goOnAs(this.#newConsumer(), consumer).finally(() => {
      this.#adopting = undefined;
    });
    await this.#adopting;
    await this.#options.connection.whenUp();
    await this.#leave(consumer);
  }

  /** Where nothing is unsettled after a stop, nothing is left to do here. */
  async #retire(): Promise<void> {
    if (this.#open || this.#closed || this.#stopping === undefined) return;
    await this.#stopping;
    if (this.#ledger.size === 0) await this.close();
  }

  async #close(stopped: Promise<void>): Promise<void> {
    await stopped;
    const { connection, held, onClosed } = this.#options;
    if (connection.up) await untilClosed(this.#settlements.idle());
    this.#closed = true;
    this.#leaseKeeper.end();
    this.#settlements.close();
    this.#ledger.clear();
    if (connection.up) {
      // Where this fails, the lease ends by itself.
      await untilClosed(this.#leave(this.consumer));
    }
    this.#reader.close();
    held.leave(this);
    onClosed(this);
  }

  async #leave(consumer: string): Promise<void> {
    const { connection, keys } = this.#options;
    const args = [GROUP, consumer, RELEASED_CONSUMER, MAX_RELEASED_AT_ONCE];
    for (let more: unknown = 1; more === 1; ) more = await connection.run(leave, [keys.queue, keys.leases], args);
  }

  #handOut(delivery: StreamDelivery): boolean {
    const { held, readAhead, onDelivery } = this.#options;
    if (!this.#open || readAhead.isFull || !held.mayHandOut(delivery.bytes, this)) return false;
    this.#ledger.handOut(delivery);
    onDelivery(delivery);
    return true;
  }

  async #adopt(consumer: string): Promise<void> {
    const { logger, useCase } = this.#options;
    logger.warn(
      { useCase },
      "The lease ended: the process or its connection was silent for too long, or the lease was deleted on the server. What others have taken over meanwhile is handled by them.",
    );
    await this.#goOnAs(this.#newConsumer(), consumer);
    this.#leaseKeeper.lookWithin(0);
    this.#reader.interrupt();
    this.onRoom();
  }

  /** Entries that were settled while this was under way are found to be the new consumer's, or gone, by who settles them. */
  #goOnAs(next: string, before: string): Promise<void> {
    return this.exclusively(async () => {
      // It may have been both that its lease ended and that it was stopped.
      if (this.#ledger.consumer !== before) return;
      const seen = new Set<StreamDelivery>();
      // Twice, if some were read meanwhile. What is read once the name has changed is adopted late.
      for (let round = 0; round < 2; round += 1) {
        const held = this.#ledger.list().filter((delivery) => !seen.has(delivery));
        if (round > 0 && held.length === 0) break;
        const entries = held.map(({ entry }) => entry);
        const adopted = await this.#leaseKeeper.adopt(before, next, entries);
        if (this.#closed) return;
        this.#ledger.consumer = next;
        for (const delivery of held) {
          seen.add(delivery);
          if (!adopted.has(delivery.entry)) this.#ledger.remove(delivery);
        }
      }
    });
  }

  #newConsumer(): string {
    const { appName, target } = this.#options;
    return consumerName(appName, randomUUID(), target.lease, this.#open ? this.#declaration : NO_DECLARATION);
  }
}

/** Waits for a step of closing, whether it succeeds or not, but not for longer than closing may take. */
async function untilClosed(step: Promise<unknown>): Promise<void> {
  await within(step, CLOSE_TIMEOUT_MS, "it takes too long").catch(() => {});
}
