import type { Channel, ConsumeMessage } from "amqplib";
import { sleep } from "../client/sleep.ts";
import type { Acknowledgements } from "./acknowledgements.ts";

/**
 * After how long without an acknowledgement RabbitMQ 4.3 ends a consumer that says so itself, in milliseconds: the most that
 * Erlang's timers surely take, some 24 days. Before 4.3 only the broker and its policies say it.
 */
const CONSUMER_TIMEOUT_MS = 2 ** 31 - 1;
const ARGUMENTS = { "x-consumer-timeout": CONSUMER_TIMEOUT_MS };
/** RabbitMQ's prefetch is 16 bits. */
const MAX_PREFETCH = 65_535;
/** If nothing has arrived for so long, and the broker then has nothing ready, nothing is on its way. */
const QUIET_MS = 50;
const QUIET_CHECK_MS = 2;
/** How long a busy broker may take to send what it has ready. */
const MAX_QUIET_WAIT_MS = 1_000;

/**
 * The broker's consumer on a channel. Its prefetch cannot be changed, and quorum queues support none per channel. So
 * another consumer takes over, while the deliveries of the first stay with the channel.
 */
export class BrokerConsumer {
  readonly #channel: Channel;
  readonly #queue: string;
  readonly #acks: Acknowledgements;
  readonly #onMessage: (message: ConsumeMessage | null) => void;
  #consumerTag: string | undefined;
  #prefetch = 0;
  #closed = false;
  /** The first delivery of the present consumer, how many it has brought, and how many of them are settled. */
  #firstTag = 1;
  #received = 0;
  #finished = 0;
  #lastTag = 0;
  #lastArrival = 0;

  /** @param onMessage receives each message, and `null` when the broker cancels the consumer; it must not throw */
  constructor(
    channel: Channel,
    queue: string,
    acks: Acknowledgements,
    onMessage: (message: ConsumeMessage | null) => void,
  ) {
    this.#channel = channel;
    this.#queue = queue;
    this.#acks = acks;
    this.#onMessage = onMessage;
    channel.once("close", () => {
      this.#closed = true;
    });
  }

  /** Whether the channel has brought any delivery. */
  get used(): boolean {
    return this.#lastTag > 0;
  }

  /** How many deliveries the broker hands out at once. */
  get prefetch(): number {
    return this.#prefetch;
  }

  /** Consumes with another prefetch from now on; for a while the broker hands out as many as both allow. */
  async begin(prefetch: number): Promise<void> {
    const allowed = Math.min(Math.max(prefetch, 1), MAX_PREFETCH);
    if (this.#closed || allowed === this.#prefetch) return;
    await this.end();
    await this.#channel.prefetch(allowed);
    this.#prefetch = allowed;
    this.#acks.prefetch = allowed;
    this.#firstTag = this.#lastTag + 1;
    this.#received = 0;
    this.#finished = 0;
    const take = (message: ConsumeMessage | null) => this.#take(message);
    const { consumerTag } = await this.#channel.consume(this.#queue, take, { arguments: ARGUMENTS });
    this.#consumerTag = consumerTag;
  }

  /**
   * Cancels the consumer, if there is one. RabbitMQ 4 returns, and counts, what is on its way to a consumer that is
   * cancelled. So nothing is acknowledged until the prefetch is used up or the queue is empty, and nothing is on its way.
   */
  async end(): Promise<void> {
    const tag = this.#consumerTag;
    if (tag === undefined || this.#closed) return;
    this.#acks.hold();
    try {
      await this.#becomeQuiet();
      this.#consumerTag = undefined;
      if (!this.#closed) await this.#channel.cancel(tag);
    } finally {
      this.#acks.resume();
    }
  }

  /** To be called when a delivery is settled. */
  finished(tag: number): void {
    if (tag >= this.#firstTag) this.#finished += 1;
  }

  #take(message: ConsumeMessage | null): void {
    if (message !== null) {
      this.#received += 1;
      this.#lastTag = message.fields.deliveryTag;
      this.#lastArrival = performance.now();
    }
    this.#onMessage(message);
  }

  async #becomeQuiet(): Promise<void> {
    const finished = this.#finished;
    const began = performance.now();
    let since = began;
    while (!this.#closed && this.#received - finished < this.#prefetch) {
      if (performance.now() - Math.max(since, this.#lastArrival) < QUIET_MS) {
        await sleep(QUIET_CHECK_MS);
        continue;
      }
      const received = this.#received;
      // The answer comes behind whatever the broker has sent before, however long the way is.
      const { messageCount } = await this.#channel.checkQueue(this.#queue);
      since = performance.now();
      if (this.#received === received && (messageCount === 0 || since - began > MAX_QUIET_WAIT_MS)) return;
    }
  }
}
