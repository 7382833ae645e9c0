import type { Logger, OnDelivery, Subscription } from "@papa-events/core/transport";
import { toPapaError } from "../client/errors.ts";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { sleep } from "../client/sleep.ts";
import { Consumer, type ConsumerOptions } from "./consumer.ts";

/** How long a prefetch stays at least: each change is two calls to the broker. */
const MIN_CHANGE_INTERVAL_MS = 100;
const INITIAL_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 10_000;

export interface SubscriberOptions extends Omit<ConsumerOptions, "onEnd" | "origin"> {
  readonly connection: ReconnectingConnection;
  readonly logger: Logger;
  readonly onDelivery: OnDelivery;
  readonly origin: () => ConsumerOptions["origin"];
  /** Declares the queue again, in case it has been deleted. */
  readonly redeclare: () => Promise<void>;
}

/** Consumes one use case's queue for an app, over all the channels that takes. */
export class Subscriber implements Subscription {
  readonly #options: SubscriberOptions;
  #consumer: Consumer | undefined;
  #readAhead: number;
  #open = true;
  #changeTimer: NodeJS.Timeout | undefined;
  #restarting = false;

  constructor(readAhead: number, options: SubscriberOptions) {
    this.#readAhead = readAhead;
    this.#options = options;
  }

  get useCase(): string {
    return this.#options.useCase;
  }

  /** Counts the deliveries that are not settled. */
  get unsettled(): number {
    return this.#consumer?.unsettled ?? 0;
  }

  /** Starts consuming on a new channel. @throws PapaError */
  async start(): Promise<void> {
    if (!this.#open) return;
    const { connection } = this.#options;
    const channel = await connection.channel();
    const consumer: Consumer = new Consumer(channel, {
      ...this.#options,
      origin: this.#options.origin(),
      onEnd: () => this.#onEnd(consumer),
    });
    this.#consumer = consumer;
    try {
      await consumer.consume(this.#readAhead);
    } catch (error) {
      this.#consumer = undefined;
      if (!connection.connected) throw connection.lost(error);
      throw toPapaError(error, { address: connection.address, object: `queue of "${this.useCase}"` });
    }
  }

  readAhead(limit: number): void {
    if (limit === this.#readAhead) return;
    this.#readAhead = limit;
    if (this.#changeTimer === undefined) this.#change();
  }

  async stop(): Promise<void> {
    this.#open = false;
    clearTimeout(this.#changeTimer);
    await this.#consumer?.cancel();
  }

  /** Flushes what is settled and returns the rest to the queue. */
  async close(): Promise<void> {
    this.#open = false;
    clearTimeout(this.#changeTimer);
    await this.#consumer?.close();
  }

  /** Applies the read-ahead now, and applies it again after the interval if it has changed by then. */
  #change(): void {
    if (!this.#open) return;
    const applied = this.#readAhead;
    // A consumer whose channel ends meanwhile is restarted, with the new prefetch.
    this.#consumer?.consume(applied).catch(() => {});
    this.#changeTimer = setTimeout(() => {
      this.#changeTimer = undefined;
      if (this.#readAhead !== applied) this.#change();
    }, MIN_CHANGE_INTERVAL_MS).unref();
  }

  #onEnd(consumer: Consumer): void {
    if (this.#consumer !== consumer) return;
    this.#consumer = undefined;
    // If the whole connection was lost, its reconnect restarts all consumers.
    setImmediate(() => {
      if (this.#open && this.#consumer === undefined && this.#options.connection.connected) void this.#restart();
    });
  }

  async #restart(): Promise<void> {
    if (this.#restarting) return;
    this.#restarting = true;
    const { connection, logger, redeclare, useCase } = this.#options;
    logger.warn({ useCase }, "The broker ended a consumer; it is started again.");
    for (let backoff = INITIAL_BACKOFF_MS; ; backoff = Math.min(backoff * 2, MAX_BACKOFF_MS)) {
      await sleep(backoff * (0.5 + Math.random() / 2));
      if (!this.#open || !connection.connected || this.#consumer !== undefined) break;
      try {
        await redeclare();
        await this.start();
        break;
      } catch (error) {
        logger.warn({ err: error, useCase }, "A consumer could not be started again; another try follows.");
      }
    }
    this.#restarting = false;
  }
}
