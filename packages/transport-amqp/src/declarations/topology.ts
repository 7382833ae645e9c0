import type { Channel, Options } from "amqplib";
import { closeChannel } from "../client/close-channel.ts";
import { codeOf, type Doing, papaErrorOf } from "../client/errors.ts";
import type { Link } from "../client/reconnecting-connection.ts";
import { deadQueue, delayQueue, type Names, registryQueue, retryQueue } from "../wire/names.ts";

/** What the original's waiting retries wait unless it is told otherwise. */
const ORIGINAL_DELAY = 10_000;

/**
 * The queues and exchanges of `docs/brokers/rabbitmq.md`. Those of the original have exactly its arguments: one more, and
 * whoever declares them next is refused (406).
 */
export class Topology {
  readonly #names: Names;
  readonly #link: () => Link;

  constructor(names: Names, link: () => Link) {
    this.#names = names;
    this.#link = link;
  }

  /** @throws PapaError `topology-conflict`, `access-refused`, `connection-failed` */
  exchanges(): Promise<void> {
    const { exchange, retryExchange, deadExchange } = this.#names;
    return this.onChannel(async (channel) => {
      const make = (name: string, type: string) =>
        this.#naming(`exchange "${name}"`, channel.assertExchange(name, type, { durable: true }));
      await make(exchange, "topic");
      await make(retryExchange, "direct");
      await make(deadExchange, "direct");
    });
  }

  /** A use case's queues, bound in the original's ways; its patterns are bound apart. @throws PapaError as {@link exchanges} */
  async queues(useCase: string): Promise<void> {
    const queue = this.#names.queue(useCase);
    const { exchange, retryExchange, deadExchange } = this.#names;
    // Its time to live is a setting of the original's service, so it is only looked at.
    const hasRetry = await this.exists(retryQueue(queue));
    await this.onChannel(async (channel) => {
      await this.#queue(channel, queue, {
        "x-dead-letter-exchange": retryExchange,
        "x-dead-letter-routing-key": queue,
      });
      if (!hasRetry) {
        await this.#queue(channel, retryQueue(queue), {
          "x-message-ttl": ORIGINAL_DELAY,
          "x-dead-letter-exchange": exchange,
          "x-dead-letter-routing-key": queue,
        });
      }
      await this.#queue(channel, deadQueue(queue), {});
      await this.#bind(channel, queue, exchange, queue);
      await this.#bind(channel, retryQueue(queue), retryExchange, queue);
      await this.#bind(channel, deadQueue(queue), deadExchange, queue);
    });
  }

  /** @throws PapaError `access-refused`, `connection-failed` */
  bind(useCase: string, patterns: readonly string[]): Promise<void> {
    const queue = this.#names.queue(useCase);
    return this.onChannel(async (channel) => {
      for (const pattern of patterns) await this.#bind(channel, queue, this.#names.exchange, pattern);
    });
  }

  /** @throws PapaError `access-refused`, `connection-failed` */
  unbind(useCase: string, patterns: readonly string[]): Promise<void> {
    const queue = this.#names.queue(useCase);
    return this.onChannel(async (channel) => {
      for (const pattern of patterns)
        await this.#naming(`binding "${pattern}"`, channel.unbindQueue(queue, this.#names.exchange, pattern));
    });
  }

  /**
   * A queue where events of one use case wait so long. Its time is the queue's, not the message's: with mixed times a
   * queue blocks at its head. At least once, which takes reject-publish, or the broker silently does without. Never with
   * `x-expires`: that deletes a queue with confirmed messages in it.
   */
  delay(useCase: string, delay: number): Promise<void> {
    const queue = this.#names.queue(useCase);
    return this.onChannel((channel) =>
      this.#queue(channel, delayQueue(queue, delay), {
        "x-message-ttl": delay,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
      }),
    );
  }

  /** The one message that remembers a use case's declarations. */
  registry(useCase: string): Promise<void> {
    const name = registryQueue(this.#names.queue(useCase));
    return this.onChannel((channel) => this.#queue(channel, name, { "x-max-length": 1, "x-overflow": "drop-head" }));
  }

  async exists(queue: string): Promise<boolean> {
    return (await this.size(queue)) !== undefined;
  }

  /** How many messages are ready in a queue; `undefined` if there is none. @throws PapaError `connection-failed` */
  async size(queue: string): Promise<number | undefined> {
    return this.onChannel(async (channel) => {
      try {
        return (await channel.checkQueue(queue)).messageCount;
      } catch (error) {
        if (codeOf(error) === 404) return undefined;
        throw papaErrorOf(error, this.#doing(`queue "${queue}"`));
      }
    });
  }

  /** Uses a channel that is closed afterwards: a refusal by the broker closes the channel it was asked on. */
  async onChannel<T>(use: (channel: Channel) => Promise<T>): Promise<T> {
    const channel = await this.#link().channel();
    let open = true;
    channel.on("close", () => {
      open = false;
    });
    try {
      return await use(channel);
    } catch (error) {
      if (!this.#link().connected) throw this.#link().lost(error);
      throw papaErrorOf(error, this.#doing(undefined));
    } finally {
      if (open) await closeChannel(channel);
    }
  }

  async #queue(channel: Channel, name: string, more: Readonly<Record<string, unknown>>): Promise<void> {
    const options: Options.AssertQueue = { durable: true, arguments: { "x-queue-type": "quorum", ...more } };
    await this.#naming(`queue "${name}"`, channel.assertQueue(name, options));
  }

  #bind(channel: Channel, queue: string, exchange: string, key: string): Promise<unknown> {
    return this.#naming(`binding "${key}" of queue "${queue}"`, channel.bindQueue(queue, exchange, key));
  }

  /** An error then says what it is about. */
  async #naming<T>(object: string, done: Promise<T>): Promise<T> {
    try {
      return await done;
    } catch (error) {
      throw codeOf(error) === undefined ? error : papaErrorOf(error, this.#doing(object));
    }
  }

  #doing(object: string | undefined): Doing {
    return { address: this.#link().address, object };
  }
}
