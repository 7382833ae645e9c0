import { PatternTrie, type Tail, type TailListener } from "@papa-events/core/transport";
import type { Channel, ConsumeMessage } from "amqplib";
import type { Channels } from "../client/channels.ts";
import { closeChannel } from "../client/close-channel.ts";
import { bindingKey } from "../wire/binding-keys.ts";
import type { Names } from "../wire/names.ts";
import { hasBrokerHeaders } from "../wire/properties.ts";
import { eventOf } from "../wire/received-message.ts";

/** How much the broker holds for a reader whose connection does not keep up; the oldest are dropped then. */
const MAX_HELD_EVENTS = 10_000;
const MAX_HELD_BYTES = 16 * 1_048_576;

/**
 * Shows events as they are published, by a queue of its own that is exclusive to the connection: it goes with it, also when
 * the process is killed. Nothing is acknowledged and no publisher waits for it, since it is a classic queue that drops its
 * oldest.
 */
export class LiveTail implements Tail {
  readonly #channel: Channel;
  readonly #queue: string;
  readonly #listener: TailListener;
  readonly #onEnd: (tail: LiveTail) => void;
  readonly #patterns = new PatternTrie<true>();
  #open = true;

  /** @param onEnd called when it has ended, however that came */
  static async begin(
    { exchange, tail }: { readonly exchange: string; readonly tail: string },
    channels: Channels,
    patterns: readonly string[],
    listener: TailListener,
    onEnd: (tail: LiveTail) => void,
  ): Promise<LiveTail> {
    const channel = await channels.open();
    const live = new LiveTail(channel, tail, patterns, listener, onEnd);
    try {
      await live.#begin(exchange, patterns);
    } catch (error) {
      live.#open = false;
      await closeChannel(channel);
      throw channels.errorOf(error);
    }
    channel.on("close", () => live.end(channels.errorOf(new Error("the channel was closed"))));
    return live;
  }

  private constructor(
    channel: Channel,
    queue: string,
    patterns: readonly string[],
    listener: TailListener,
    onEnd: (tail: LiveTail) => void,
  ) {
    this.#channel = channel;
    this.#queue = queue;
    this.#listener = listener;
    this.#onEnd = onEnd;
    for (const pattern of patterns) this.#patterns.add(pattern, true);
  }

  async stop(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    this.#onEnd(this);
    await this.#channel.deleteQueue(this.#queue).catch(() => {});
    await closeChannel(this.#channel);
  }

  /** Ends it, because the connection or the channel is gone. */
  end(error: Error): void {
    if (!this.#open) return;
    this.#open = false;
    this.#onEnd(this);
    void closeChannel(this.#channel);
    this.#listener.onEnd(error);
  }

  async #begin(exchange: string, patterns: readonly string[]): Promise<void> {
    const limits = { "x-max-length": MAX_HELD_EVENTS, "x-max-length-bytes": MAX_HELD_BYTES };
    await this.#channel.assertQueue(this.#queue, {
      exclusive: true,
      durable: false,
      autoDelete: true,
      arguments: { "x-queue-type": "classic", ...limits },
    });
    for (const key of new Set(patterns.map(bindingKey))) await this.#channel.bindQueue(this.#queue, exchange, key);
    await this.#channel.consume(this.#queue, (message) => this.#receive(message), { noAck: true });
  }

  /** Must not throw: amqplib would close the channel. */
  #receive(message: ConsumeMessage | null): void {
    if (message === null) {
      this.end(new Error("the broker ended the consumer"));
      return;
    }
    const { fields, properties } = message;
    const headers: Readonly<Record<string, unknown>> = properties.headers ?? {};
    // A retry of the Python original comes back through the exchange, and was published before.
    const isRetry = hasBrokerHeaders(headers) && headers["x-death"] !== undefined;
    if (!this.#open || isRetry || !this.#patterns.matches(fields.routingKey)) return;
    this.#listener.onEvent(eventOf(message, fields.routingKey, headers));
  }
}

/** Names what a tail needs. */
export function tailNames(names: Names): { readonly exchange: string; readonly tail: string } {
  return { exchange: names.exchange, tail: names.newTail() };
}
