import { isPapaError } from "@papa-events/core";
import type { Channel, Options } from "amqplib";
import type { Channels } from "../client/channels.ts";
import { codeOf, isConnectionLost, toPapaError } from "../client/errors.ts";
import { bindingKey } from "../wire/binding-keys.ts";
import { deadLetterQueue, delayQueue, type Names, recentQueue, retryQueue } from "../wire/names.ts";

/** How long retries of the original wait unless it is set otherwise. */
const ORIGINAL_RETRY_DELAY_MS = 10_000;

/** How much is kept of what came back from retry queues, and how long. */
const MAX_RETURNED = 100_000;
const MAX_RETURNED_BYTES = 256 * 1_048_576;
const MAX_RETURNED_AGE_MS = 24 * 3_600_000;

/** How much is kept of copies of the newest dead letters. */
const MAX_RECENT = 1_000;
const MAX_RECENT_BYTES = 32 * 1_048_576;

/** All versions take it; "unlimited" destroys at the first return on RabbitMQ 3. */
const MAX_DOCUMENT_RETURNS = 1_000_000;

/**
 * Declares the exchanges and queues of `docs/brokers/rabbitmq.md`. Those of the original have exactly its arguments:
 * with one more, whoever declares them next is refused (406).
 */
export class Topology {
  readonly #names: Names;
  readonly #channels: Channels;

  constructor(names: Names, channels: Channels) {
    this.#names = names;
    this.#channels = channels;
  }

  /** The exchange that events are published to. */
  get exchange(): string {
    return this.#names.exchange;
  }

  /** Names one of the exchanges that is not there. @throws PapaError `connection-failed` */
  missingExchange(): Promise<string | undefined> {
    const { exchange, retryExchange, deadLetterExchange } = this.#names;
    return this.#channels.missingExchange([exchange, retryExchange, deadLetterExchange]);
  }

  /** @throws PapaError `topology-conflict`, `access-refused`, `connection-failed` */
  declareExchanges(): Promise<void> {
    const { exchange, retryExchange, deadLetterExchange } = this.#names;
    return this.#channels.withChannel(async (channel) => {
      const declare = (name: string, type: string) =>
        this.#about(`exchange "${name}"`, channel.assertExchange(name, type, { durable: true }));
      await declare(exchange, "topic");
      await declare(retryExchange, "direct");
      await declare(deadLetterExchange, "direct");
    });
  }

  /** Declares a use case's queues, with all bindings but its patterns. @throws PapaError as {@link declareExchanges} */
  async declareQueues(useCase: string): Promise<void> {
    const queue = this.#names.queue(useCase);
    const { exchange, retryExchange } = this.#names;
    // Its time to live is a setting of the original's service, so an existing queue stays as it is.
    const hasRetryQueue = await this.#channels.queueExists(retryQueue(queue));
    await this.#channels.withChannel(async (channel) => {
      await this.#declareQueue(channel, queue, {
        "x-dead-letter-exchange": retryExchange,
        "x-dead-letter-routing-key": queue,
      });
      if (!hasRetryQueue) {
        await this.#declareQueue(channel, retryQueue(queue), {
          "x-message-ttl": ORIGINAL_RETRY_DELAY_MS,
          "x-dead-letter-exchange": exchange,
          "x-dead-letter-routing-key": queue,
        });
      }
      await this.#declareQueue(channel, deadLetterQueue(queue), {});
      await this.#bind(channel, queue, exchange, queue);
      await this.#declareReturned(channel, queue);
      await this.#bindForOriginal(channel, queue);
    });
  }

  /** Binds patterns to a use case's queue. @throws PapaError `access-refused`, `connection-failed` */
  bind(useCase: string, patterns: readonly string[]): Promise<void> {
    const queue = this.#names.queue(useCase);
    return this.#channels.withChannel(async (channel) => {
      for (const key of new Set(patterns.map(bindingKey))) await this.#bind(channel, queue, this.#names.exchange, key);
    });
  }

  /** Whether this account may bind a use case's queue, which RabbitMQ looks at before anything else. @throws PapaError `connection-failed` */
  async mayBind(useCase: string): Promise<boolean> {
    try {
      await this.bind(useCase, [this.#names.queue(useCase)]);
      return true;
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      return !isPapaError(error, "access-refused");
    }
  }

  /** Names those queues of a use case that are not there, of those that nobody consumes. @throws PapaError `connection-failed` */
  async missingQueues(useCase: string): Promise<readonly string[]> {
    const queue = this.#names.queue(useCase);
    const missing: string[] = [];
    for (const each of [retryQueue(queue), deadLetterQueue(queue)])
      if (!(await this.#channels.queueExists(each))) missing.push(each);
    return missing;
  }

  /** Binds a use case's queues again, such as to an exchange that was made anew; nothing if it has none. */
  async rebind(useCase: string, patterns: readonly string[]): Promise<void> {
    const queue = this.#names.queue(useCase);
    if (!(await this.#channels.queueExists(queue))) return;
    await this.bind(useCase, [queue, ...patterns]);
    await this.#channels.withChannel(async (channel) => {
      await this.#declareReturned(channel, queue);
      await this.#bindForOriginal(channel, queue);
    });
  }

  /**
   * Unbinds patterns from a use case's queue, as far as none of those that are kept needs the same key.
   *
   * @throws PapaError `access-refused`, `connection-failed`
   */
  unbind(useCase: string, patterns: readonly string[], kept: readonly string[]): Promise<void> {
    const queue = this.#names.queue(useCase);
    // The original's retries come back under the queue's own name, whatever patterns there are.
    const needed = new Set([queue, ...kept.map(bindingKey)]);
    // Bound as they are by the version before.
    const keys = new Set([...patterns, ...patterns.map(bindingKey)].filter((key) => !needed.has(key)));
    return this.#channels.withChannel(async (channel) => {
      for (const key of keys)
        await this.#about(`binding "${key}"`, channel.unbindQueue(queue, this.#names.exchange, key));
    });
  }

  /**
   * Declares a queue in which events of one use case wait for so long. The time to live is the queue's, because a queue
   * of messages with different times blocks at its head. At-least-once dead-lettering requires reject-publish; without
   * it the broker silently falls back to at-most-once. Never with `x-expires`, which deletes a queue that holds
   * messages.
   */
  declareDelayQueue(useCase: string, delay: number): Promise<void> {
    const queue = this.#names.queue(useCase);
    return this.#channels.withChannel((channel) =>
      this.#declareQueue(channel, delayQueue(queue, delay), {
        "x-message-ttl": delay,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
      }),
    );
  }

  /**
   * Declares a classic queue of copies of a use case's newest dead letters, which drops its oldest. Those of the original
   * come to it by the exchange.
   */
  declareRecent(queue: string): Promise<void> {
    const name = recentQueue(queue);
    const { deadLetterExchange } = this.#names;
    return this.#channels.withChannel(async (channel) => {
      const limits = { "x-max-length": MAX_RECENT, "x-max-length-bytes": MAX_RECENT_BYTES };
      const options = { durable: true, arguments: { "x-queue-type": "classic", ...limits } };
      await this.#about(`queue "${name}"`, channel.assertQueue(name, options));
      await this.#bind(channel, name, deadLetterExchange, queue);
    });
  }

  /** Unbinds what `RingRescue` needs of a use case. */
  async forgetReturns(useCase: string): Promise<void> {
    const { exchange, returned } = this.#names;
    if (!(await this.#channels.queueExists(returned))) return;
    await this.#channels.withChannel((channel) => channel.unbindQueue(returned, exchange, this.#names.queue(useCase)));
  }

  /**
   * Declares the queue of all returns from retry queues, and binds it to those of one. It is bounded, in case no app of the
   * library runs any more beside services of the original.
   */
  async #declareReturned(channel: Channel, queue: string): Promise<void> {
    const { exchange, returned } = this.#names;
    await this.#declareQueue(channel, returned, {
      "x-max-length": MAX_RETURNED,
      "x-max-length-bytes": MAX_RETURNED_BYTES,
      "x-message-ttl": MAX_RETURNED_AGE_MS,
    });
    await this.#bind(channel, returned, exchange, queue);
  }

  /** The ways of the original's retries and dead letters. */
  async #bindForOriginal(channel: Channel, queue: string): Promise<void> {
    const { retryExchange, deadLetterExchange } = this.#names;
    await this.#bind(channel, retryQueue(queue), retryExchange, queue);
    await this.#bind(channel, deadLetterQueue(queue), deadLetterExchange, queue);
  }

  /** Declares a queue whose one message holds a document. Reading it returns the message, which must not wear it out. */
  declareDocumentQueue(name: string): Promise<void> {
    return this.#channels.withChannel((channel) =>
      this.#declareQueue(channel, name, { "x-delivery-limit": MAX_DOCUMENT_RETURNS }),
    );
  }

  async #declareQueue(channel: Channel, name: string, more: Readonly<Record<string, unknown>>): Promise<void> {
    const options: Options.AssertQueue = { durable: true, arguments: { "x-queue-type": "quorum", ...more } };
    await this.#about(`queue "${name}"`, channel.assertQueue(name, options));
  }

  #bind(channel: Channel, queue: string, exchange: string, key: string): Promise<unknown> {
    return this.#about(`binding "${key}" of queue "${queue}"`, channel.bindQueue(queue, exchange, key));
  }

  /** Makes an error name the object that it is about. */
  async #about<T>(object: string, done: Promise<T>): Promise<T> {
    try {
      return await done;
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      throw toPapaError(error, { address: this.#channels.address, object });
    }
  }
}
