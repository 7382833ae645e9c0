import type { Channel, ConsumeMessage, Message } from "amqplib";
import type { Channels } from "../client/channels.ts";
import { isConnectionLost } from "../client/errors.ts";
import { sleep } from "../client/sleep.ts";
import type { QueueMessage, QueuePublisher } from "../publishing/queue-publisher.ts";
import { renewedProperties } from "../wire/dead-letter-properties.ts";
import type { StampedMessage } from "../wire/dead-letter-stamp.ts";
import { LetterStamper } from "./letter-stamper.ts";

/** A message that is no dead letter, and says how many there were when it was published. */
const COUNT_HEADER = "papa_count";
/** How long nothing may come before the messages that were announced are given up. */
const READ_LIMIT_MS = 2_000;
/** After how long without another dead letter it is noted how many there are, and after how long in any case. */
const NOTE_DELAY_MS = 400;
const MAX_NOTE_DELAY_MS = 2_000;
/** A number that is the same after so long, with no copy meanwhile, is of a moment when nothing was on its way. */
const QUIET_MS = 200;

/** After how long it is tried again to make a queue of copies that could not be made: its node is down, or the right is missing. */
const DECLARE_PAUSE_MS = 30_000;

/** What the queue of recent dead letters holds. */
export interface RecentLetters {
  /** In the order in which they came. One of the original's has a place behind those before it, which no other look gives it. */
  readonly letters: readonly StampedMessage[];
  /** How many dead letters there must be in all, if no other program has added or taken any. */
  readonly expected: number;
}

export interface RecentOptions {
  readonly channels: Channels;
  readonly publisher: QueuePublisher;
  /** Makes the queue of recent dead letters of a dead-letter queue. */
  readonly declare: (queues: QueuePair) => Promise<void>;
}

/** A dead-letter queue, and the queue of the recent ones among its messages. */
export interface QueuePair {
  readonly dead: string;
  readonly recent: string;
}

/**
 * Copies of the newest dead letters of a use case, so that the first page of very many need not take all of them. They are
 * in a classic queue that drops its oldest: it may be read for ever, and where it is lost, or another program has changed
 * the dead letters, the numbers do not agree and nobody believes it.
 */
export class RecentDeadLetters {
  readonly #options: RecentOptions;
  /** Until when a queue is left alone, by the monotonic clock. */
  readonly #resting = new Map<string, number>();
  /** When it was last due to note how many there are, by queue. */
  readonly #notes = new Map<
    string,
    { readonly since: number; readonly timer: NodeJS.Timeout; readonly pair: QueuePair }
  >();

  constructor(options: RecentOptions) {
    this.#options = options;
  }

  /** Makes the queue of copies. @throws PapaError `access-refused`, `connection-failed` */
  declare(pair: QueuePair): Promise<void> {
    return this.#options.declare(pair);
  }

  /** To be called when a dead letter is stored. Nobody waits for it. */
  add(pair: QueuePair, message: Omit<QueueMessage, "queue">): void {
    this.#publish(pair, message).then(
      () => this.#planNote(pair),
      // A copy that is missing is noticed by the numbers.
      () => {},
    );
  }

  /** Notes at once what is due to be noted. Never rejects. */
  async flush(): Promise<void> {
    const due = [...this.#notes.values()];
    for (const { timer } of due) clearTimeout(timer);
    this.#notes.clear();
    await Promise.all(due.map(({ pair }) => this.#note(pair)));
  }

  /**
   * Reads them; `undefined` if there are none that can be believed. To be called while nobody else looks at the dead letters.
   *
   * @throws PapaError `connection-failed`
   */
  async read({ recent }: QueuePair): Promise<RecentLetters | undefined> {
    return this.#read(recent, () => {});
  }

  /** Removes copies of dead letters that have gone, and notes how many are left; or all, if one is missing. Never rejects. */
  async forget(pair: QueuePair, ids: ReadonlySet<string>): Promise<void> {
    const drop = (channel: Channel, messages: readonly Message[]) => {
      const stamper = new LetterStamper(false);
      for (const message of messages)
        if (isNote(message) || ids.has(stamper.stamp(message)?.id ?? "")) channel.ack(message);
    };
    try {
      const left = await this.#options.channels.queueSize(pair.dead);
      const before = await this.#read(pair.recent, drop);
      if (left === undefined || before?.expected !== left + ids.size) await this.clear(pair);
      else await this.#publishCounts(pair, left);
    } catch {
      // Without the number they are not believed.
    }
  }

  /** Replaces all of them. @param count how many dead letters there are in all. Never rejects. */
  async replace(pair: QueuePair, letters: readonly StampedMessage[], count: number): Promise<void> {
    try {
      await this.#options.declare(pair);
      await this.clear(pair);
      await this.#publishCounts(pair, count - letters.length);
      await Promise.all(
        letters.map(({ message, id, position }) =>
          this.#publish(pair, {
            body: message.content,
            properties: renewedProperties(message, { id, position }, false),
          }),
        ),
      );
    } catch {
      // Without them a page takes longer.
    }
  }

  /** Removes all of them; nothing if there is no such queue. */
  async clear({ recent }: QueuePair): Promise<void> {
    const { channels } = this.#options;
    if (!(await channels.queueExists(recent))) return;
    await channels.withChannel((channel) => channel.purgeQueue(recent));
  }

  async #publish(pair: QueuePair, message: Omit<QueueMessage, "queue">): Promise<void> {
    const { publisher, declare } = this.#options;
    if (performance.now() < (this.#resting.get(pair.recent) ?? 0)) return;
    if (await publisher.publish({ ...message, queue: pair.recent })) return;
    try {
      await declare(pair);
    } catch (error) {
      this.#resting.set(pair.recent, performance.now() + DECLARE_PAUSE_MS);
      throw error;
    }
    await publisher.publish({ ...message, queue: pair.recent });
  }

  #publishCount(pair: QueuePair, count: number): Promise<void> {
    const properties = { headers: { [COUNT_HEADER]: count }, persistent: true };
    return this.#publish(pair, { body: new Uint8Array(), properties });
  }

  /** Of a moment when nothing is on its way. */
  async #publishCounts(pair: QueuePair, count: number): Promise<void> {
    await Promise.all([this.#publishCount(pair, count), this.#publishCount(pair, count)]);
  }

  #planNote(pair: QueuePair): void {
    const planned = this.#notes.get(pair.recent);
    clearTimeout(planned?.timer);
    const since = planned?.since ?? performance.now();
    const delay = Math.max(0, Math.min(NOTE_DELAY_MS, since + MAX_NOTE_DELAY_MS - performance.now()));
    const timer = setTimeout(() => {
      this.#notes.delete(pair.recent);
      void this.#noteQuiet(pair);
    }, delay).unref();
    this.#notes.set(pair.recent, { since, timer, pair });
  }

  async #noteQuiet(pair: QueuePair): Promise<void> {
    const count = await this.#note(pair);
    if (count === undefined || this.#notes.has(pair.recent)) return;
    await sleep(QUIET_MS);
    if (!this.#notes.has(pair.recent)) await this.#note(pair, count);
  }

  /** @param before how many there must be still */
  async #note(pair: QueuePair, before?: number): Promise<number | undefined> {
    const { channels } = this.#options;
    try {
      const count = await channels.queueSize(pair.dead);
      if (count === undefined || (before !== undefined && count !== before)) return undefined;
      if (!(await channels.queueExists(pair.recent))) return undefined;
      await this.#publishCount(pair, count);
      return count;
    } catch {
      // Without the number they are not believed.
      return undefined;
    }
  }

  async #read(
    recent: string,
    use: (channel: Channel, messages: readonly Message[]) => void,
  ): Promise<RecentLetters | undefined> {
    const { channels } = this.#options;
    try {
      return await channels.withChannel(async (channel) => {
        const { messageCount } = await channel.checkQueue(recent);
        const messages = await takeAll(channel, recent, messageCount);
        use(channel, messages);
        channel.nackAll(true);
        await channel.checkQueue(recent);
        return contentsOf(messages);
      });
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      return undefined;
    }
  }
}

async function takeAll(channel: Channel, queue: string, count: number): Promise<readonly Message[]> {
  const messages: Message[] = [];
  if (count === 0) return messages;
  await channel.prefetch(count);
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve, reject) => {
    timer = setTimeout(resolve, READ_LIMIT_MS);
    channel.once("close", () => reject(new Error("the channel was closed")));
    const onMessage = (message: ConsumeMessage | null) => {
      timer?.refresh();
      if (message !== null) messages.push({ ...message, content: Buffer.from(message.content) });
      if (message === null || messages.length === count) resolve();
    };
    channel.consume(queue, onMessage, { consumerTag: "recent" }).catch(reject);
  }).finally(() => clearTimeout(timer));
  await channel.cancel("recent");
  return messages;
}

function isNote({ properties }: Message): boolean {
  return typeof properties.headers?.[COUNT_HEADER] === "number";
}

/**
 * Reads what the queue holds. Each note says how many dead letters there were when so many copies were in the queue: the
 * difference stays the same as long as there is a copy of each that comes. Notes are of a moment ago, so that it is certain
 * only where two say the same with no copy between. If those disagree, some have no copy.
 */
function contentsOf(messages: readonly Message[]): RecentLetters | undefined {
  const stamper = new LetterStamper(false);
  const letters: StampedMessage[] = [];
  let copies = 0;
  let uncopied: number | undefined;
  let previous: unknown;
  const certain = new Set<number>();
  for (const message of messages) {
    const count: unknown = isNote(message) ? message.properties.headers?.[COUNT_HEADER] : undefined;
    if (typeof count === "number") {
      uncopied = count - copies;
      if (count === previous) certain.add(uncopied);
    } else {
      copies += 1;
      const letter = stamper.stamp(message);
      if (letter !== undefined) letters.push(letter);
    }
    previous = count;
  }
  if (uncopied === undefined || [...certain].some((each) => each !== uncopied)) return undefined;
  return { letters, expected: uncopied + copies };
}
