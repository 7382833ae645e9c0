import type { Logger } from "@papa-events/core/transport";
import type { Channel, ConsumeMessage, Message } from "amqplib";
import type { Channels } from "../client/channels.ts";
import { flushAcknowledgements } from "../client/flush-acknowledgements.ts";
import { sleep } from "../client/sleep.ts";
import type { QueuePublisher } from "../publishing/queue-publisher.ts";
import { type StampedMessage, stamped, stampOf } from "../wire/dead-letter-stamp.ts";
import { DeadLetterRenewal, needsRenewal, RENEWAL_BATCH } from "./dead-letter-renewal.ts";
import { DeadLetterScan, type HeldDeadLetter, type Selection } from "./dead-letter-scan.ts";

/** How long to wait for a dead letter before checking whether any is left. */
const IDLE_CHECK_MS = 250;
/** How often to check whether returns have taken effect; another reader may take the messages before. */
const MAX_RETURN_CHECKS = 200;
const RETURN_CHECK_MS = 5;

/** The dead letters of one queue, all held by one channel. */
export interface HeldDeadLetters {
  /** Oldest first. */
  readonly deadLetters: readonly HeldDeadLetter[];
  /** The messages of those that were selected, by id, as far as memory allows. */
  readonly messages: ReadonlyMap<string, StampedMessage>;
  /** Destroys a dead letter. */
  remove(deadLetter: HeldDeadLetter): void;
}

/**
 * Reads a dead-letter queue without changing it. AMQP can only take messages and return them, and each return counts
 * against a message, also when its reader was killed. So those that have come back a few times are renewed; see
 * {@link DeadLetterRenewal}.
 *
 * Only one program may use it at a time: a dead letter that another one holds cannot be seen.
 */
export class DeadLetterQueue {
  readonly #queue: string;
  readonly #channels: Channels;
  readonly #renewal: DeadLetterRenewal;

  constructor(queue: string, channels: Channels, publisher: QueuePublisher, logger: Logger) {
    this.#queue = queue;
    this.#channels = channels;
    this.#renewal = new DeadLetterRenewal(queue, publisher, logger);
  }

  /** Holds all dead letters while `use` looks at them, then returns those that it has not removed. */
  async read<T>(selection: Selection, use: (held: HeldDeadLetters) => Promise<T>): Promise<T> {
    return this.#channels.withChannel(async (channel) => {
      const scan = new DeadLetterScan(selection);
      const first = await this.#renewReturned(channel);
      await this.#take(channel, first, (message) => scan.add(message));
      const failed = await this.#renewal.renew(channel, scan.unstamped);
      for (const duplicate of scan.duplicates) channel.ack(duplicate);
      let held = scan.size - scan.unstamped.length + failed.length;
      const remove = ({ tag }: HeldDeadLetter) => {
        channel.ack({ fields: { deliveryTag: tag } } as Message);
        held -= 1;
      };
      const result = await use({ ...scan.found(), remove });
      await this.#return(channel, held);
      return result;
    });
  }

  /** Passes what there is now to `use`, in the queue's order and a few at a time, and removes each after that. */
  async drain(use: (message: StampedMessage) => Promise<void>): Promise<number> {
    return this.#channels.withChannel(async (channel) => {
      const first = await channel.get(this.#queue);
      if (first === false) return 0;
      const seen = new Set<string>();
      let left = (await channel.checkQueue(this.#queue)).messageCount;
      const useAndRemove = async (message: Message) => {
        const deadLetter = stamped(message);
        // If two have one id, a crash left the second.
        if (stampOf(message) === undefined || !seen.has(deadLetter.id)) await use(deadLetter);
        seen.add(deadLetter.id);
        channel.ack(message);
      };
      await useAndRemove(first);
      // No more than there were: a redriven event may already be a dead letter again.
      while (left > 0) {
        const batch = await this.#get(channel, Math.min(RENEWAL_BATCH, left));
        if (batch.length === 0) break;
        left -= batch.length;
        await Promise.all(batch.map(useAndRemove));
      }
      await flushAcknowledgements(channel, this.#queue);
      return seen.size;
    });
  }

  /** Destroys all dead letters. */
  purge(): Promise<number> {
    return this.#channels.withChannel(async (channel) => (await channel.purgeQueue(this.#queue)).messageCount);
  }

  /**
   * Renews what has come back often, a few at a time and before anything else is taken. Resolves to messages that were
   * taken and not renewed. The broker hands out returned messages first, so those tell whether there are any.
   */
  async #renewReturned(channel: Channel): Promise<readonly Message[]> {
    for (;;) {
      const first = await channel.get(this.#queue);
      if (first === false) return [];
      if (!needsRenewal(first)) return [first];
      const batch = [first, ...(await this.#get(channel, RENEWAL_BATCH - 1))];
      const worn = batch.filter(needsRenewal);
      const failed = await this.#renewal.renew(
        channel,
        worn.map((message) => stamped(message)),
      );
      // Kept, because a message returned now might be missing in the count of what is ready.
      const fresh = batch.filter((message) => !needsRenewal(message));
      if (fresh.length > 0 || failed.length > 0) return [...fresh, ...failed];
    }
  }

  /**
   * Takes every dead letter that is ready now, without returning any. `taken` are held already: a get passes through
   * the queue's log behind all earlier returns, which a count alone may not show yet.
   */
  async #take(channel: Channel, taken: readonly Message[], add: (message: Message) => void): Promise<void> {
    if (taken.length === 0) return;
    taken.forEach(add);
    const { messageCount } = await channel.checkQueue(this.#queue);
    if (messageCount === 0) return;
    let count = 0;
    let tag = "";
    let idleCheck: NodeJS.Timeout | undefined;
    await channel.prefetch(0);
    await new Promise<void>((resolve, reject) => {
      const fail = (error: unknown) => reject(error);
      channel.once("close", () => reject(new Error("the channel was closed")));
      const onMessage = (message: ConsumeMessage | null) => {
        if (message === null) return reject(new Error(`the queue "${this.#queue}" was deleted`));
        count += 1;
        if (count <= messageCount) add(message);
        if (count === messageCount) resolve();
      };
      channel.consume(this.#queue, onMessage).then((consumer) => {
        tag = consumer.consumerTag;
        let countBefore = -1;
        idleCheck = setInterval(() => {
          // Another reader, such as an operator's tool, may have taken some.
          if (count === countBefore)
            this.#channels.queueSize(this.#queue).then((ready) => ready === 0 && resolve(), fail);
          countBefore = count;
        }, IDLE_CHECK_MS);
      }, fail);
    }).finally(() => clearInterval(idleCheck));
    if (tag !== "") await channel.cancel(tag);
  }

  async #get(channel: Channel, count: number): Promise<Message[]> {
    const got = await Promise.all(Array.from({ length: count }, () => channel.get(this.#queue)));
    return got.filter((message) => message !== false);
  }

  /** Returns what is held, and waits until the queue has it: returns take effect later than calls are answered. */
  async #return(channel: Channel, held: number): Promise<void> {
    channel.nackAll(true);
    for (let checks = 0; checks < MAX_RETURN_CHECKS; checks += 1) {
      const { messageCount } = await channel.checkQueue(this.#queue);
      if (messageCount >= held) break;
      await sleep(RETURN_CHECK_MS);
    }
    if (held === 0) await flushAcknowledgements(channel, this.#queue);
  }
}
