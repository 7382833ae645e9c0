import type { Settlement } from "@papa-events/core/transport";
import { isGone, isReply, papaErrorOf, passes } from "../client/errors.ts";
import { sleep } from "../client/time-limit.ts";
import { STALE } from "../scripts/fan-out.ts";
import { settle } from "../scripts/settle.ts";
import type { ClaimOptions } from "./claim.ts";
import type { StreamDelivery } from "./delivery.ts";
import { SettlementBatch } from "./settlement-batch.ts";

/** How many scripts are under way at once; what is settled meanwhile makes the next ones larger. */
const IN_FLIGHT = 2;
/** The pause after the server has refused for now, in milliseconds; doubled up to the longest. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 5_000;
/** What the script replies when the consumer's lease has ended. */
const ENDED = 1;

export interface SenderOptions extends ClaimOptions {
  /** Told of a delivery whose settlement the server refuses for good: it is out again. */
  readonly onRefused: (delivery: StreamDelivery) => void;
}

/** Has settlements stored, those of one turn in one step, until the server has answered for each. */
export class SettlementSender {
  readonly #consumer: string;
  readonly #options: SenderOptions;
  #open = new SettlementBatch();
  readonly #ready: SettlementBatch[] = [];
  readonly #underWay = new Set<SettlementBatch>();
  #planned = false;
  #closed = false;
  #onIdle: (() => void)[] = [];

  constructor(consumer: string, options: SenderOptions) {
    this.#consumer = consumer;
    this.#options = options;
  }

  /** Acknowledges. Resolves when that is stored. */
  done(delivery: StreamDelivery): Promise<void> {
    const batch = this.#batch();
    batch.acknowledged.push(delivery);
    return batch.stored;
  }

  /** Resolves when it is stored. @throws PapaError when the server refuses it for good */
  order(delivery: StreamDelivery, settlement: Settlement): Promise<void> {
    return new Promise((resolve, reject) => this.#batch().addOrder({ delivery, settlement, resolve, reject }));
  }

  /** Adds the entries that are not known to be stored. */
  addTo(known: Set<string>): void {
    for (const { acknowledged, orders } of [this.#open, ...this.#ready, ...this.#underWay]) {
      for (const { entry } of acknowledged) known.add(entry);
      for (const { delivery } of orders) known.add(delivery.entry);
    }
  }

  /** Resolves when all is stored. */
  async idle(): Promise<void> {
    if (this.isIdle) return;
    await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** Stores nothing more; what is under way counts as stored. */
  close(): void {
    this.#closed = true;
    for (const batch of [this.#open, ...this.#ready.splice(0), ...this.#underWay]) finish(batch);
  }

  /** Whether nothing is left to be stored. */
  get isIdle(): boolean {
    return this.#open.empty && this.#ready.length === 0 && this.#underWay.size === 0;
  }

  /** The batch that the next settlement goes into. */
  #batch(): SettlementBatch {
    if (this.#open.full) {
      this.#ready.push(this.#open);
      this.#open = new SettlementBatch();
    }
    if (!this.#planned && this.#underWay.size < IN_FLIGHT) {
      this.#planned = true;
      setImmediate(() => {
        this.#planned = false;
        this.#pump();
      });
    }
    return this.#open;
  }

  #pump(): void {
    while (this.#underWay.size < IN_FLIGHT && !this.#closed) {
      let batch = this.#ready.shift();
      if (batch === undefined) {
        if (this.#open.empty) return;
        batch = this.#open;
        this.#open = new SettlementBatch();
      }
      void this.#send(batch);
    }
  }

  async #send(batch: SettlementBatch): Promise<void> {
    this.#underWay.add(batch);
    await this.#store(batch);
    this.#underWay.delete(batch);
    this.#pump();
    if (this.isIdle) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /** Tries until the server has answered: to store the same batch twice is harmless, since the first takes the entries. */
  async #store(batch: SettlementBatch): Promise<void> {
    const { link, logger } = this.#options;
    for (let pause = FIRST_PAUSE; !this.#closed; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      try {
        await link().whenUp();
        await this.#run(batch);
        break;
      } catch (error) {
        if (this.#closed || link().closed || isGone(error)) break;
        if (isReply(error) && !passes(error)) {
          if (batch.orders.length > 0) return this.#divide(batch, error);
          logger.error({ error }, "The server refuses acknowledgements; it is tried again.");
          pause = LONGEST_PAUSE;
        }
        if (link().up) await sleep(pause);
      }
    }
    for (const { settlement } of batch.orders) {
      if (settlement.kind === "retry" || settlement.kind === "hand-on") this.#options.onWaiting(settlement.delay);
    }
    finish(batch);
  }

  async #run(batch: SettlementBatch): Promise<void> {
    const { link, bindings, keys, version, onEnded } = this.#options;
    for (;;) {
      const known = batch.publishes ? await bindings.get() : undefined;
      const input = batch.input(this.#consumer, keys, version, known);
      const reply = await link().run(settle, input.keys, input.args);
      if (reply === ENDED) onEnded();
      if (reply !== STALE || known === undefined) return;
      bindings.drop(known);
    }
  }

  /** One settlement of several cannot be stored: each is tried by itself, and the one that cannot is told so. */
  async #divide(batch: SettlementBatch, error: Error): Promise<void> {
    const [only] = batch.orders;
    if (only !== undefined && batch.orders.length === 1 && batch.acknowledged.length === 0) {
      this.#options.onRefused(only.delivery);
      only.reject(papaErrorOf(error, this.#options.link().address));
      batch.resolve();
      return;
    }
    const parts = batch.orders.map((order) => {
      const part = new SettlementBatch();
      part.addOrder(order);
      return part;
    });
    if (batch.acknowledged.length > 0) {
      const part = new SettlementBatch();
      part.acknowledged.push(...batch.acknowledged);
      parts.push(part);
    }
    await Promise.all(parts.map((part) => this.#store(part)));
    batch.resolve();
  }
}

function finish(batch: SettlementBatch): void {
  batch.resolve();
  for (const { resolve } of batch.orders) resolve();
}
