import type { Logger } from "@papa-events/core/transport";
import type { Channel, Message } from "amqplib";
import type { Channels } from "../client/channels.ts";
import { flushAcknowledgements } from "../client/flush-acknowledgements.ts";
import type { QueuePublisher } from "../publishing/queue-publisher.ts";
import type { Names } from "../wire/names.ts";
import { readRingReturn } from "../wire/ring-return.ts";

/** How often it is looked whether anything came back. */
const INTERVAL_MS = 10_000;
/** How much is taken at a time, and how much by one look. */
const BATCH = 100;
const MAX_BATCHES = 100;

export interface RingRescueOptions {
  readonly names: Names;
  readonly channels: Channels;
  readonly publisher: QueuePublisher;
  readonly logger: Logger;
}

/**
 * Brings back what the broker would destroy. A message that leaves a use case's queue for anything but a rejection (a
 * `delivery-limit` that somebody has set, an outsider's `expiration`) goes to the original's retry queue, as the queue's
 * arguments say. Its return from there is a cycle to the broker, which drops it, but only for the queue that it came from.
 * So a queue of the namespace is bound to the same returns, and what would be lost is put back from there.
 */
export class RingRescue {
  readonly #options: RingRescueOptions;
  readonly #warned = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #open = true;

  constructor(options: RingRescueOptions) {
    this.#options = options;
  }

  /** Looks now, and again and again. Idempotent. */
  start(): void {
    if (this.#timer !== undefined || !this.#open) return;
    this.#timer = setInterval(() => this.#begin(), INTERVAL_MS).unref();
    this.#begin();
  }

  /** Resolves when the look that is under way has ended. Never rejects. */
  async stop(): Promise<void> {
    this.#open = false;
    clearInterval(this.#timer);
    await this.#looking;
  }

  #begin(): void {
    this.#looking = this.#looking
      .then(() => this.#look())
      .catch((error: unknown) => {
        this.#options.logger.debug({ err: error }, "It could not be looked for what came back from retry queues.");
      });
  }

  async #look(): Promise<void> {
    const { names, channels, publisher } = this.#options;
    if (!this.#open || ((await channels.queueSize(names.returned)) ?? 0) === 0) return;
    publisher.assertWritable();
    await channels.withChannel(async (channel) => {
      for (let batch = 0; batch < MAX_BATCHES && this.#open; batch += 1) {
        const messages = await this.#take(channel);
        await Promise.all(messages.map((message) => this.#bringBack(channel, message)));
        if (messages.length < BATCH) break;
      }
      await flushAcknowledgements(channel, names.returned);
    });
  }

  async #take(channel: Channel): Promise<readonly Message[]> {
    const { returned } = this.#options.names;
    const got = await Promise.all(Array.from({ length: BATCH }, () => channel.get(returned)));
    return got.filter((message) => message !== false);
  }

  async #bringBack(channel: Channel, message: Message): Promise<void> {
    const { publisher, logger } = this.#options;
    const queue = message.fields.routingKey;
    const { reason, properties } = readRingReturn(message, queue);
    // A rejection's return reaches its queue by itself. Where the queue is gone, so is what was in it.
    if (reason !== undefined) await publisher.publish({ queue, body: message.content, properties });
    channel.ack(message);
    if (reason === undefined || this.#warned.has(queue)) return;
    this.#warned.add(queue);
    logger.warn(
      { queue, reason },
      "Messages left this queue by themselves, and were put back: look for a delivery-limit, message-ttl or max-length in the broker's policies, or an expiration that a publisher sets.",
    );
  }
}
