import type { Delivery, Logger, Subscription } from "@papa-events/core/transport";
import { isConnectionLost, mayBlame, toPapaError } from "../client/errors.ts";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { sleep } from "../client/sleep.ts";
import { Consumer, type ConsumerOptions } from "./consumer.ts";
import { OwnLosses } from "./own-losses.ts";

/** How long a prefetch stays at least: each change is two calls to the broker. */
const MIN_CHANGE_INTERVAL_MS = 100;
const INITIAL_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5_000;
/** How long a queue is watched that may cost the connection. */
const APART_MS = 500;

export interface SubscriberOptions extends Omit<ConsumerOptions, "losses" | "onEnd" | "origin"> {
  readonly connection: ReconnectingConnection;
  readonly logger: Logger;
  readonly origin: () => ConsumerOptions["origin"];
  /** Declares the use case again, in case somebody has deleted its queues. */
  readonly redeclare: () => Promise<void>;
  /** Whether an operator has removed the use case: then nobody is told of anything else. */
  readonly wasRemoved: () => Promise<boolean>;
  /** Called when the use case cannot be consumed while the connection stands, and with `undefined` when it can again. */
  readonly onProblem: (problem: string | undefined) => void;
  /** How many events may be handed out before it is known how large they are. */
  readonly initialPrefetch: number;
}

/**
 * Consumes one use case's queue for an app, over all the channels that takes. A single loop brings what there is to what
 * is wanted: a consumer with this prefetch, or none. Nobody else begins or changes a consumer.
 */
export class Subscriber implements Subscription {
  readonly #options: SubscriberOptions;
  readonly #losses = new OwnLosses();
  #consumer: Consumer | undefined;
  #readAhead: number;
  #open = true;
  /** Whether the queue is known to be declared; after the broker has ended a consumer it may be gone. */
  #declared = true;
  /** The prefetch until the first delivery has shown how large the events are. */
  #initialPrefetch: number | undefined;
  /** Whether the broker has just ended a consumer: the next is not started at once. */
  #ended = false;
  /** Whether the broker may have ended the connection because of this queue: then it is tried apart first (H8). */
  #suspect = false;
  #told = false;
  #begun = 0;
  #changed = 0;
  #backoff = INITIAL_BACKOFF_MS;
  #wake: () => void = () => {};

  constructor(readAhead: number, options: SubscriberOptions) {
    this.#readAhead = readAhead;
    this.#options = options;
    if (options.initialPrefetch < readAhead) this.#initialPrefetch = options.initialPrefetch;
  }

  get useCase(): string {
    return this.#options.useCase;
  }

  /** Whether it has been stopped and all its deliveries are settled. */
  get finished(): boolean {
    return !this.#open && this.unsettled === 0;
  }

  /** Counts the deliveries that are not settled. */
  get unsettled(): number {
    return this.#consumer?.unsettled ?? 0;
  }

  /** Begins to consume. @throws PapaError */
  async start(): Promise<void> {
    await this.#consume();
    void this.#reconcile();
  }

  readAhead(limit: number): void {
    this.#readAhead = limit;
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#open = false;
    this.#wake();
    await this.#consumer?.cancel();
  }

  /** Flushes what is settled and gives the rest back. */
  async close(): Promise<void> {
    this.#open = false;
    this.#wake();
    await this.#consumer?.close();
  }

  /** To be called after a reconnect. @param declared whether the use case has been declared again */
  resume(declared: boolean): void {
    this.#declared = declared;
    this.#ended = this.#suspect;
    if (!this.#suspect) this.#backoff = INITIAL_BACKOFF_MS;
    this.#wake();
  }

  async #reconcile(): Promise<void> {
    while (this.#open) {
      if (!this.#options.connection.connected) await this.#pause();
      else if (this.#ended) await this.#rest();
      else if (this.#consumer === undefined) await this.#tryToConsume();
      else if (this.#consumer.prefetch === this.#wantedPrefetch) await this.#pause();
      else await this.#changePrefetch(this.#consumer);
    }
  }

  async #tryToConsume(): Promise<void> {
    const { connection, logger, redeclare, onProblem, useCase } = this.#options;
    try {
      if (!this.#declared) await redeclare();
      this.#declared = true;
      if (this.#suspect) await this.#tryApart();
      await this.#consume();
      onProblem(undefined);
      logger.info({ useCase }, "The use case is consumed again.");
    } catch (error) {
      if (!this.#open) return;
      if (!this.#suspect && (isConnectionLost(error) || !connection.connected)) return;
      this.#declared = false;
      onProblem(`its queue cannot be consumed: ${error instanceof Error ? error.message : String(error)}`);
      this.#tell(error);
      await this.#backOff();
    }
  }

  #tell(error: unknown): void {
    const { logger, useCase } = this.#options;
    if (this.#suspect && !this.#told)
      logger.error({ err: error, useCase }, "The broker ends the connection that consumes this use case's queue.");
    else logger.warn({ err: error, useCase }, "A consumer could not be started again; another try follows.");
    this.#told = this.#suspect;
  }

  /** Finds out whether the queue can be consumed. It costs nobody else the connection, and its first events a delivery. */
  async #tryApart(): Promise<void> {
    this.#losses.add();
    await this.#options.connection.apart(async (channel) => {
      const { promise, resolve } = Promise.withResolvers<"ended" | "delivered">();
      channel.once("close", () => resolve("ended"));
      await channel.prefetch(this.#wantedPrefetch);
      await channel.consume(this.#options.origin().queue, () => resolve("delivered"));
      // An empty queue delivers nothing, and neither does a broker that cannot read what it has kept: it ends the channel.
      if ((await Promise.race([promise, sleep(APART_MS)])) === "ended") throw new Error("its channel was closed");
    });
    this.#suspect = false;
  }

  async #rest(): Promise<void> {
    this.#ended = false;
    await this.#backOff();
  }

  async #backOff(): Promise<void> {
    const backoff = this.#backoff;
    this.#backoff = Math.min(backoff * 2, MAX_BACKOFF_MS);
    await this.#pause(backoff * (0.5 + Math.random() / 2));
  }

  /** Starts a consumer on a new channel. @throws PapaError */
  async #consume(): Promise<void> {
    const { connection } = this.#options;
    const channel = await connection.channel();
    let begun = false;
    let endedBecause = "";
    const consumer: Consumer = new Consumer(channel, {
      ...this.#options,
      origin: this.#options.origin(),
      losses: this.#losses,
      onDelivery: (delivery) => this.#onDelivery(delivery),
      onEnd: (reason) => {
        endedBecause = reason;
        if (begun) this.#onEnd(reason);
      },
    });
    // Known before it begins, so that a stop meanwhile ends it.
    this.#consumer = consumer;
    try {
      await consumer.consume(this.#wantedPrefetch);
      if (!consumer.alive && this.#open) throw new Error(endedBecause);
    } catch (error) {
      this.#consumer = undefined;
      const about = { address: connection.address, object: `queue of "${this.useCase}"` };
      if (connection.connected) throw toPapaError(error, about);
      this.#suspect = mayBlame(connection.lostBecause, this.#options.origin().queue);
      throw this.#suspect ? toPapaError(connection.lostBecause, about) : connection.lost(error);
    }
    begun = true;
    this.#begun = performance.now();
  }

  get #wantedPrefetch(): number {
    return this.#initialPrefetch ?? this.#readAhead;
  }

  #onDelivery(delivery: Delivery): void {
    this.#options.onDelivery(delivery);
    if (this.#initialPrefetch === undefined) return;
    this.#initialPrefetch = undefined;
    this.#wake();
  }

  async #changePrefetch(consumer: Consumer): Promise<void> {
    const since = performance.now() - this.#changed;
    if (since < MIN_CHANGE_INTERVAL_MS) {
      await this.#pause(MIN_CHANGE_INTERVAL_MS - since);
      return;
    }
    this.#changed = performance.now();
    // A consumer whose channel ends meanwhile is started again, with the new prefetch.
    await consumer.consume(this.#wantedPrefetch).catch(() => {});
  }

  #onEnd(reason: string): void {
    this.#consumer = undefined;
    this.#ended = true;
    this.#declared = false;
    this.#wake();
    const soon = performance.now() - this.#begun <= MAX_BACKOFF_MS;
    if (!soon) this.#backoff = INITIAL_BACKOFF_MS;
    // If the whole connection was lost, amqplib says so a moment later.
    setImmediate(() => void this.#explainEnd(reason, soon));
  }

  async #explainEnd(reason: string, soon: boolean): Promise<void> {
    const { connection, logger, onProblem, useCase, wasRemoved } = this.#options;
    if (!connection.connected && soon) this.#suspect = mayBlame(connection.lostBecause, this.#options.origin().queue);
    if (!this.#open || !connection.connected) return;
    if ((await wasRemoved()) || !this.#open) return;
    logger.warn({ useCase, reason }, "The broker ended a consumer; it is started again.");
    if (this.#consumer === undefined && connection.connected) onProblem(`the broker ended its consumer: ${reason}`);
  }

  /** Waits for so long, or until something may have changed. */
  #pause(milliseconds?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = milliseconds === undefined ? undefined : setTimeout(resolve, milliseconds).unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
