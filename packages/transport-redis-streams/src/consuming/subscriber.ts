import { randomUUID } from "node:crypto";
import type { OnDelivery, Subscription } from "@papa-events/core/transport";
import { within } from "../client/time-limit.ts";
import { leave } from "../scripts/leave.ts";
import { GROUP, RELEASED_CONSUMER } from "../wire/keys.ts";
import { Claim, type ClaimOptions } from "./claim.ts";
import type { StreamDelivery } from "./delivery.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { Reader, type ReaderOptions } from "./reader.ts";

/** How long closing waits for the server. If it is away, others take over when the lease ends. */
const CLOSE_TIMEOUT_MS = 5_000;
/** So many unsettled events last longer than a read takes, however fast the handlers are. */
const ENOUGH_UNSETTLED = 512;

export interface SubscriberOptions
  extends ReaderOptions,
    Omit<ClaimOptions, "onUnsettled" | "onWaiting" | "onLeaseEnded"> {
  readonly onDelivery: OnDelivery;
}

/** Consumes one use case's queue for one app. */
export class Subscriber implements Subscription {
  readonly #options: SubscriberOptions;
  readonly #reader: Reader;
  readonly #leaseKeeper: LeaseKeeper;
  /** Received beyond the read-ahead limit or after the stop, and delivered as soon as there is room. */
  #surplus: StreamDelivery[] = [];
  /** Claims whose lease has ended, as long as their deliveries may still be settled. */
  #endedClaims: Claim[] = [];
  #claim: Claim;
  #readAhead: number;
  #unsettled = 0;
  #open = true;
  #closed = false;

  constructor(readAhead: number, options: SubscriberOptions) {
    this.#options = options;
    this.#readAhead = readAhead;
    this.#claim = this.#newClaim();
    this.#leaseKeeper = new LeaseKeeper(this, options);
    this.#reader = new Reader(this, options);
  }

  get claim(): Claim {
    return this.#claim;
  }

  get open(): boolean {
    return this.#open;
  }

  get room(): number {
    return this.#open ? Math.max(0, this.#readAhead - this.#unsettled - this.#surplus.length) : 0;
  }

  /**
   * A read for each settled event would be a round trip for each event. What is unsettled when a read begins has to last
   * until it ends; more than `ENOUGH_UNSETTLED` always does, and larger reads cost the server less.
   */
  get minRoomToRead(): number {
    return Math.max(1, this.#readAhead >> 2, this.#readAhead - ENOUGH_UNSETTLED);
  }

  /** Half, so that the server is asked for the next half before this one is handled. */
  get maxRead(): number {
    return Math.ceil(this.#readAhead / 2);
  }

  /** Starts to consume. @throws PapaError */
  async start(): Promise<void> {
    await this.#reader.open();
    await this.#leaseKeeper.start();
    this.#reader.start();
  }

  /** Delivers an entry that the server has given to a claim. */
  deliver(claim: Claim, entry: string, fields: readonly Buffer[], crashes: number): void {
    const delivery = claim.take(entry, fields, crashes);
    if (!this.#open || this.#unsettled >= this.#readAhead) {
      this.#surplus.push(delivery);
      return;
    }
    this.#unsettled += 1;
    this.#options.onDelivery(delivery);
  }

  async whenLeased(): Promise<void> {
    if (!this.#leaseKeeper.started) await this.#leaseKeeper.start();
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
  }

  /** Goes on with a new claim: others may have taken over what the ended one holds. */
  onLeaseEnded(ended: Claim): void {
    if (this.#claim !== ended || this.#closed) return;
    this.#options.logger.warn(
      { useCase: this.#options.useCase },
      "The lease ended, because the process or its connection was silent for too long. Its events may be handled by others.",
    );
    this.#endedClaims = [...this.#endedClaims.filter((claim) => !claim.empty), ended];
    // Not delivered yet, and likely to be taken over by another consumer.
    this.#surplus = this.#surplus.filter(({ owner }) => owner !== ended);
    this.#claim = this.#newClaim();
    this.#leaseKeeper.startNew();
    this.#reader.interrupt();
  }

  readAhead(limit: number): void {
    this.#readAhead = limit;
    this.#deliverSurplus();
  }

  async stop(): Promise<void> {
    this.#open = false;
    await this.#reader.stop();
    // What is being taken over arrives before this, and is released with the rest.
    await untilClosed(this.exclusively(async () => {}));
    for (const delivery of this.#surplus.splice(0).reverse()) {
      this.#unsettled += 1;
      void delivery.settle({ kind: "release" });
    }
  }

  /** Flushes settlements and releases what is unsettled. */
  async close(): Promise<void> {
    await this.stop();
    const { connection, keys } = this.#options;
    const claims = [...this.#endedClaims, this.#claim];
    if (connection.up) await untilClosed(Promise.all(claims.map((claim) => claim.flush())));
    this.#closed = true;
    this.#leaseKeeper.end();
    for (const claim of claims) claim.close();
    if (connection.up) {
      const leaving = claims.map(({ consumer }) =>
        connection.run(leave, [keys.queue, keys.leases], [GROUP, consumer, RELEASED_CONSUMER]),
      );
      // Where this fails, the lease ends by itself.
      await untilClosed(Promise.all(leaving));
    }
    this.#reader.close();
  }

  #newClaim(): Claim {
    const claim: Claim = new Claim(`${this.#options.appName}:${randomUUID()}`, {
      ...this.#options,
      onUnsettled: (change) => {
        this.#unsettled += change;
        if (change < 0) this.#deliverSurplus();
      },
      onWaiting: (delay) => this.#leaseKeeper.lookWithin(delay),
      onLeaseEnded: () => this.onLeaseEnded(claim),
    });
    return claim;
  }

  /** Delivers surplus as far as there is room, then reads on. */
  #deliverSurplus(): void {
    while (this.#open && this.#unsettled < this.#readAhead) {
      const delivery = this.#surplus.shift();
      if (delivery === undefined) break;
      this.#unsettled += 1;
      this.#options.onDelivery(delivery);
    }
    this.#reader.wake();
  }
}

/** Waits for a step of closing, whether it succeeds or not, but not for longer than closing may take. */
async function untilClosed(step: Promise<unknown>): Promise<void> {
  await within(step, CLOSE_TIMEOUT_MS, "it takes too long").catch(() => {});
}
