import type { Logger, OnDelivery, Subscription } from "@papa-events/core/transport";
import { papaErrorOf } from "../client/errors.ts";
import type { Link } from "../client/reconnecting-connection.ts";
import { sleep } from "../client/time-limit.ts";
import { Consumer, type ConsumerOptions } from "./consumer.ts";

/** How often the prefetch may change, in milliseconds: each time is two calls to the broker. */
const CHANGE_INTERVAL = 100;
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 10_000;

export interface SubscriberOptions extends Omit<ConsumerOptions, "onEnd" | "origin"> {
  readonly link: () => Link;
  readonly logger: Logger;
  readonly onDelivery: OnDelivery;
  readonly origin: () => ConsumerOptions["origin"];
  /** Makes the queue anew where it has been deleted. */
  readonly redeclare: () => Promise<void>;
}

/** One app's consumption of one use case's queue, over all the channels it takes. */
export class Subscriber implements Subscription {
  readonly #options: SubscriberOptions;
  #consumer: Consumer | undefined;
  #readAhead: number;
  #open = true;
  #changed: NodeJS.Timeout | undefined;
  #mending = false;

  constructor(readAhead: number, options: SubscriberOptions) {
    this.#readAhead = readAhead;
    this.#options = options;
  }

  get useCase(): string {
    return this.#options.useCase;
  }

  get unsettled(): number {
    return this.#consumer?.unsettled ?? 0;
  }

  /** Consumes on a new channel. @throws PapaError */
  async begin(): Promise<void> {
    if (!this.#open) return;
    const { link } = this.#options;
    const channel = await link().channel();
    const consumer: Consumer = new Consumer(channel, {
      ...this.#options,
      origin: this.#options.origin(),
      onEnd: () => this.#ended(consumer),
    });
    this.#consumer = consumer;
    try {
      await consumer.consume(this.#readAhead);
    } catch (error) {
      this.#consumer = undefined;
      if (!link().connected) throw link().lost(error);
      throw papaErrorOf(error, { address: link().address, object: `queue of "${this.useCase}"` });
    }
  }

  readAhead(limit: number): void {
    if (limit === this.#readAhead) return;
    this.#readAhead = limit;
    if (this.#changed === undefined) this.#change();
  }

  async stop(): Promise<void> {
    this.#open = false;
    clearTimeout(this.#changed);
    await this.#consumer?.cancel();
  }

  /** Flushes what is settled and hands back the rest. */
  async close(): Promise<void> {
    this.#open = false;
    clearTimeout(this.#changed);
    await this.#consumer?.close();
  }

  /** Applies the read-ahead now, and what it has become meanwhile after the interval. */
  #change(): void {
    if (!this.#open) return;
    const applied = this.#readAhead;
    // A channel that ends meanwhile is mended, with the new prefetch.
    this.#consumer?.consume(applied).catch(() => {});
    this.#changed = setTimeout(() => {
      this.#changed = undefined;
      if (this.#readAhead !== applied) this.#change();
    }, CHANGE_INTERVAL).unref();
  }

  #ended(consumer: Consumer): void {
    if (this.#consumer !== consumer) return;
    this.#consumer = undefined;
    // The loss of the whole connection is mended by the connection.
    setImmediate(() => {
      if (this.#open && this.#consumer === undefined && this.#options.link().connected) void this.#mend();
    });
  }

  async #mend(): Promise<void> {
    if (this.#mending) return;
    this.#mending = true;
    const { link, logger, redeclare, useCase } = this.#options;
    logger.warn({ useCase }, "The broker ended a consumer; it begins again.");
    for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      await sleep(pause * (0.5 + Math.random() / 2));
      if (!this.#open || !link().connected || this.#consumer !== undefined) break;
      try {
        await redeclare();
        await this.begin();
        break;
      } catch (error) {
        logger.warn({ useCase, error }, "A consumer could not begin again; it is tried again.");
      }
    }
    this.#mending = false;
  }
}
