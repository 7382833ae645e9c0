import type { Logger, Settlement } from "@papa-events/core/transport";
import { isQueueMissing, isReply, isTransient, toPapaError } from "../client/errors.ts";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { sleep } from "../client/time-limit.ts";
import type { BindingCache } from "../declarations/bindings.ts";
import { BINDINGS_CHANGED } from "../scripts/fragments/fan-out.ts";
import { settle } from "../scripts/settle.ts";
import type { UseCaseKeys } from "../wire/keys.ts";
import type { StreamDelivery } from "./delivery.ts";
import { SettlementBatch } from "./settlement-batch.ts";

/** How many scripts are in flight at once. What is settled meanwhile makes the next ones larger. */
const MAX_IN_FLIGHT = 2;
const INITIAL_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 5_000;
/** The script's reply when the consumer's lease has ended. */
const LEASE_ENDED = 1;

export interface SettlementSenderOptions {
  readonly keys: UseCaseKeys;
  /** The key of the bindings' version. */
  readonly version: string;
  readonly connection: ReconnectingConnection;
  readonly bindings: BindingCache;
  readonly logger: Logger;
  /** Called with the delay of each event that waits from now on. */
  readonly onWaiting: (delay: number) => void;
  /** Called when the server says that this consumer's lease has ended. */
  readonly onLeaseEnded: () => void;
  /** Called with a delivery whose settlement the server refuses for good: it is unsettled again. */
  readonly onRefused: (delivery: StreamDelivery) => void;
}

/** Stores settlements, those of one turn in one step, and repeats each until the server has replied. */
export class SettlementSender {
  readonly #consumer: string;
  readonly #options: SettlementSenderOptions;
  #open = new SettlementBatch();
  readonly #ready: SettlementBatch[] = [];
  readonly #inFlight = new Set<SettlementBatch>();
  #scheduled = false;
  #closed = false;
  #onIdle: (() => void)[] = [];

  constructor(consumer: string, options: SettlementSenderOptions) {
    this.#consumer = consumer;
    this.#options = options;
  }

  /** Acknowledges a delivery, and resolves when that is stored. */
  acknowledge(delivery: StreamDelivery): Promise<void> {
    const batch = this.#nextBatch();
    batch.acknowledged.push(delivery);
    return batch.stored;
  }

  /** Resolves when the settlement is stored. @throws PapaError when the server refuses it for good */
  send(delivery: StreamDelivery, settlement: Settlement): Promise<void> {
    return new Promise((resolve, reject) => this.#nextBatch().add({ delivery, settlement, resolve, reject }));
  }

  /** Adds the entries whose settlement is not known to be stored. */
  addEntriesTo(entries: Set<string>): void {
    for (const { acknowledged, settlements } of [this.#open, ...this.#ready, ...this.#inFlight]) {
      for (const { entry } of acknowledged) entries.add(entry);
      for (const { delivery } of settlements) entries.add(delivery.entry);
    }
  }

  /** Whether all settlements are stored. */
  get isIdle(): boolean {
    return this.#open.empty && this.#ready.length === 0 && this.#inFlight.size === 0;
  }

  /** Resolves when all settlements are stored. */
  async idle(): Promise<void> {
    if (this.isIdle) return;
    await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** Stores nothing more, and resolves all settlements. */
  close(): void {
    this.#closed = true;
    for (const batch of [this.#open, ...this.#ready.splice(0), ...this.#inFlight]) resolveAll(batch);
  }

  /** The batch that the next settlement joins. */
  #nextBatch(): SettlementBatch {
    if (this.#open.full) {
      this.#ready.push(this.#open);
      this.#open = new SettlementBatch();
    }
    if (!this.#scheduled && this.#inFlight.size < MAX_IN_FLIGHT) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.#pump();
      });
    }
    return this.#open;
  }

  #pump(): void {
    while (this.#inFlight.size < MAX_IN_FLIGHT && !this.#closed) {
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
    this.#inFlight.add(batch);
    await this.#store(batch);
    this.#inFlight.delete(batch);
    this.#pump();
    if (this.isIdle) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /** Repeats until the server has replied. That is harmless: the first run removes the entries, so a second finds none. */
  async #store(batch: SettlementBatch): Promise<void> {
    const { connection, logger } = this.#options;
    for (let backoff = INITIAL_BACKOFF_MS; !this.#closed; backoff = Math.min(backoff * 2, MAX_BACKOFF_MS)) {
      try {
        await connection.whenUp();
        await this.#run(batch);
        break;
      } catch (error) {
        if (this.#closed || connection.closed || isQueueMissing(error)) break;
        if (isReply(error) && !isTransient(error)) {
          if (batch.settlements.length > 0) return this.#storeOneByOne(batch, error);
          logger.error({ error }, "The server refuses acknowledgements. They are tried again.");
          backoff = MAX_BACKOFF_MS;
        }
        if (connection.up) await sleep(backoff);
      }
    }
    for (const { settlement } of batch.settlements) {
      if (settlement.kind === "retry" || settlement.kind === "hand-on") this.#options.onWaiting(settlement.delay);
    }
    resolveAll(batch);
  }

  async #run(batch: SettlementBatch): Promise<void> {
    const { connection, bindings, keys, version, onLeaseEnded } = this.#options;
    for (;;) {
      const current = batch.publishes ? await bindings.get() : undefined;
      const input = batch.input(this.#consumer, keys, version, current);
      const reply = await connection.run(settle, input.keys, input.args);
      if (reply === LEASE_ENDED) onLeaseEnded();
      if (reply !== BINDINGS_CHANGED || current === undefined) return;
      bindings.drop(current);
    }
  }

  /** Finds the settlement that the server refuses: each is tried by itself, and the refused one rejects. */
  async #storeOneByOne(batch: SettlementBatch, error: Error): Promise<void> {
    const [only] = batch.settlements;
    if (only !== undefined && batch.settlements.length === 1 && batch.acknowledged.length === 0) {
      this.#options.onRefused(only.delivery);
      only.reject(toPapaError(error, this.#options.connection.address));
      batch.resolve();
      return;
    }
    const parts = batch.settlements.map((pending) => {
      const part = new SettlementBatch();
      part.add(pending);
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

function resolveAll(batch: SettlementBatch): void {
  batch.resolve();
  for (const { resolve } of batch.settlements) resolve();
}
