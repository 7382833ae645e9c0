import { randomUUID } from "node:crypto";
import type { OnDelivery, Subscription } from "@papa-events/core/transport";
import type { Target } from "../client/options.ts";
import { within } from "../client/time-limit.ts";
import { leave } from "../scripts/leave.ts";
import { GROUP, RELEASED } from "../wire/keys.ts";
import { Claim, type ClaimOptions } from "./claim.ts";
import type { StreamDelivery } from "./delivery.ts";
import { Tender } from "./lease-keeper.ts";
import { Reader } from "./reader.ts";

/** How long closing may wait for settlements that are being stored: a server that is away hands out again by itself. */
const CLOSING = 5_000;
/** So many events are handled for longer than a read takes, however quick the handlers are. */
const ENOUGH = 512;

export interface SubscriberOptions extends Omit<ClaimOptions, "onOut" | "onWaiting" | "onEnded"> {
  readonly useCase: string;
  readonly target: Target;
  /** Shown in the server's list of clients, and the beginning of the consumer's name. */
  readonly appName: string;
  readonly onDelivery: OnDelivery;
  /** Makes the queue anew where it has been deleted. */
  readonly redeclare: () => Promise<void>;
}

/** One app's consumption of one use case's queue. */
export class Subscriber implements Subscription {
  readonly options: SubscriberOptions;
  readonly #reader: Reader;
  readonly #tender: Tender;
  /** Taken over or read beyond what may be out, or after the stop; handed over as soon as it may. */
  #surplus: StreamDelivery[] = [];
  /** Those before the present one, as long as something of theirs may be settled. */
  #former: Claim[] = [];
  #claim: Claim;
  #readAhead: number;
  #out = 0;
  #open = true;
  #closed = false;

  constructor(readAhead: number, options: SubscriberOptions) {
    this.options = options;
    this.#readAhead = readAhead;
    this.#claim = this.#newClaim();
    this.#tender = new Tender(this);
    this.#reader = new Reader(this);
  }

  /** The consumer's present claim. */
  get claim(): Claim {
    return this.#claim;
  }

  /** Whether it takes deliveries. */
  get open(): boolean {
    return this.#open;
  }

  /** How many more may be out. */
  get room(): number {
    return this.#open ? Math.max(0, this.#readAhead - this.#out - this.#surplus.length) : 0;
  }

  /**
   * The room from which on reading pays: a read for each place that becomes free would be a round trip for each event.
   * What is left until then has to last for one; more than `ENOUGH` lasts, and larger reads cost the server less.
   */
  get roomToRead(): number {
    return Math.max(1, this.#readAhead >> 2, this.#readAhead - ENOUGH);
  }

  /** The most that is read at once: half, so that the server is asked for the other half before this one is handled. */
  get mostToRead(): number {
    return Math.ceil(this.#readAhead / 2);
  }

  /** Consumes. @throws PapaError */
  async begin(): Promise<void> {
    await this.#reader.open();
    await this.#tender.begin();
    this.#reader.begin();
  }

  /** Hands over what the server has handed to a claim. */
  deliver(claim: Claim, entry: string, fields: readonly Buffer[], crashes: number): void {
    const delivery = claim.take(entry, fields, crashes);
    if (!this.#open || this.#out >= this.#readAhead) {
      this.#surplus.push(delivery);
      return;
    }
    this.#out += 1;
    this.options.onDelivery(delivery);
  }

  /** Something that the server has handed over may not have arrived. */
  suspect(): void {
    this.#reader.suspect();
  }

  /** Resolves when the claim's lease runs: what is read before would be its own without anybody knowing. */
  async leased(): Promise<void> {
    if (!this.#tender.begun) await this.#tender.begin();
  }

  /** Runs while neither reading nor taking over is under way. */
  alone<T>(act: () => Promise<T>): Promise<T> {
    return this.#tender.alone(act);
  }

  /**
   * The connection is back: the lease is prolonged at once, and what the server says is pending is looked through. After a
   * failover, or a restart without the last second, events are pending again whose settlement was stored before.
   */
  returned(): void {
    this.#tender.dueIn(0);
    this.#reader.suspect();
    this.#reader.interrupt();
  }

  /** The lease has ended: what is out may be somebody else's by now, and what comes belongs to a new claim. */
  startAnew(ended: Claim): void {
    if (this.#claim !== ended || this.#closed) return;
    this.options.logger.warn(
      { useCase: this.options.useCase },
      "The lease ended, because the process or its connection was silent for too long; its events may be handled by others.",
    );
    this.#former = [...this.#former.filter((claim) => !claim.empty), ended];
    // Not handed over yet, and likely to be taken over by somebody else.
    this.#surplus = this.#surplus.filter(({ owner }) => owner !== ended);
    this.#claim = this.#newClaim();
    this.#tender.join();
    this.#reader.interrupt();
  }

  readAhead(limit: number): void {
    this.#readAhead = limit;
    this.#handOver();
  }

  async stop(): Promise<void> {
    this.#open = false;
    await this.#reader.stop();
    // What is being taken over arrives before this, and goes back with the rest.
    await within(
      this.alone(async () => {}),
      CLOSING,
      "it takes too long",
    ).catch(() => {});
    for (const delivery of this.#surplus.splice(0).reverse()) {
      this.#out += 1;
      void delivery.settle({ kind: "release" });
    }
  }

  /** Flushes what is settled and hands back the rest. */
  async close(): Promise<void> {
    await this.stop();
    const { link, keys } = this.options;
    const claims = [...this.#former, this.#claim];
    if (link().up) {
      await within(Promise.all(claims.map((claim) => claim.flush())), CLOSING, "it takes too long").catch(() => {});
    }
    this.#closed = true;
    this.#tender.end();
    for (const claim of claims) claim.close();
    if (link().up) {
      const leaving = claims.map(({ consumer }) =>
        link().run(leave, [keys.queue, keys.leases], [GROUP, consumer, RELEASED]),
      );
      // Without it the lease ends by itself.
      await within(Promise.all(leaving), CLOSING, "it takes too long").catch(() => {});
    }
    this.#reader.close();
  }

  #newClaim(): Claim {
    const { appName } = this.options;
    const claim: Claim = new Claim(`${appName}:${randomUUID()}`, {
      ...this.options,
      onOut: (change) => {
        this.#out += change;
        if (change < 0) this.#handOver();
      },
      onWaiting: (delay) => this.#tender.dueIn(delay),
      onEnded: () => this.startAnew(claim),
    });
    return claim;
  }

  /** Gives what was too much before, then reads on. */
  #handOver(): void {
    while (this.#open && this.#out < this.#readAhead) {
      const delivery = this.#surplus.shift();
      if (delivery === undefined) break;
      this.#out += 1;
      this.options.onDelivery(delivery);
    }
    this.#reader.wake();
  }
}
