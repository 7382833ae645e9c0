import type { Logger } from "@papa-events/core/transport";
import type { Channel, ConsumeMessage, Message } from "amqplib";
import { settleDown } from "../client/flush-acknowledgements.ts";
import { sleep } from "../client/time-limit.ts";
import type { Topology } from "../declarations/topology.ts";
import type { Publisher } from "../publishing/publisher.ts";
import { type Identified, renewedProperties, stampOf } from "../wire/dead-letter-message.ts";
import { type HeldLetter, identify, Scan, type Wanted } from "./dead-letter-scan.ts";

/**
 * After how many returns a letter is written anew. RabbitMQ 4 destroys a message at its 21st return to a quorum queue
 * without a dead-letter exchange, and the arguments of this one are the original's.
 */
const RENEW_AT = 5;
/** How many letters are renewed at a time: a process killed meanwhile returns, and counts, no more than these. */
const WINDOW = 50;
/** How long to wait for a letter before looking whether there is one left. */
const IDLE = 250;
/** How often to look whether returns have taken effect; another reader may take them before. */
const SETTLING_TRIES = 200;

/** The letters of one queue, all held by one channel. */
export interface HeldLetters {
  /** In the order of dying. */
  readonly letters: readonly HeldLetter[];
  /** The messages of those asked for, by id, as far as memory allows. */
  readonly messages: ReadonlyMap<string, Identified>;
  /** Destroys a letter. */
  remove(letter: HeldLetter): void;
}

/**
 * Reads a dead-letter queue without changing it. AMQP can only take messages and return them, and each return counts
 * against a message, also one by a process that was killed. So a letter that has come back a few times is replaced by a
 * copy with the same id and place: stored and confirmed first, then the old one is acknowledged. A crash in between
 * leaves two of one id, of which the next reader drops one.
 *
 * To be used by one program at a time: a letter that another holds cannot be seen.
 */
export class LetterQueue {
  readonly #queue: string;
  readonly #topology: Topology;
  readonly #publisher: Publisher;
  readonly #logger: Logger;

  constructor(queue: string, topology: Topology, publisher: Publisher, logger: Logger) {
    this.#queue = queue;
    this.#topology = topology;
    this.#publisher = publisher;
    this.#logger = logger;
  }

  /** Holds all letters while `use` looks at them, then returns those that it has not removed. */
  async read<T>(wanted: Wanted, use: (held: HeldLetters) => Promise<T>): Promise<T> {
    return this.#topology.onChannel(async (channel) => {
      const scan = new Scan(wanted);
      const first = await this.#renewReturned(channel);
      await this.#take(channel, first, (message) => scan.add(message));
      const failed = await this.#renew(channel, scan.unstamped);
      for (const duplicate of scan.duplicates) channel.ack(duplicate);
      let held = scan.size - scan.unstamped.length + failed.length;
      const remove = ({ tag }: HeldLetter) => {
        channel.ack({ fields: { deliveryTag: tag } } as Message);
        held -= 1;
      };
      const result = await use({ ...scan.found(), remove });
      await this.#giveBack(channel, held);
      return result;
    });
  }

  /** Hands the letters that there are now to `use`, oldest in the queue first and a few at a time; each is removed after it. */
  async drain(use: (letter: Identified) => Promise<void>): Promise<number> {
    return this.#topology.onChannel(async (channel) => {
      const first = await channel.get(this.#queue);
      if (first === false) return 0;
      const seen = new Set<string>();
      let left = (await channel.checkQueue(this.#queue)).messageCount;
      const remove = async (message: Message) => {
        const letter = identify(message);
        // Two of one id: a crash left the second.
        if (stampOf(message) === undefined || !seen.has(letter.id)) await use(letter);
        seen.add(letter.id);
        channel.ack(message);
      };
      await remove(first);
      // No more than there were: what is redriven may already die again.
      while (left > 0) {
        const batch = await this.#get(channel, Math.min(WINDOW, left));
        if (batch.length === 0) break;
        left -= batch.length;
        await Promise.all(batch.map(remove));
      }
      await settleDown(channel, this.#queue);
      return seen.size;
    });
  }

  /** Destroys all letters. */
  purge(): Promise<number> {
    return this.#topology.onChannel(async (channel) => (await channel.purgeQueue(this.#queue)).messageCount);
  }

  /**
   * Renews what has come back often, a few at a time and before anything else is taken, and resolves to letters taken
   * that have not. What was returned is handed out first, so that they tell whether there is any.
   */
  async #renewReturned(channel: Channel): Promise<readonly Message[]> {
    for (;;) {
      const first = await channel.get(this.#queue);
      if (first === false) return [];
      if (!isWorn(first)) return [first];
      const batch = [first, ...(await this.#get(channel, WINDOW - 1))];
      const worn = batch.filter(isWorn);
      const failed = await this.#renew(
        channel,
        worn.map((message) => identify(message)),
      );
      // Held on to: a return now might not be seen by the count of what is ready.
      const fresh = batch.filter((message) => !isWorn(message));
      if (fresh.length > 0 || failed.length > 0) return [...fresh, ...failed];
    }
  }

  /**
   * Takes every letter that is ready now, without returning any. `before` are held already: a get goes through the
   * queue's log behind all earlier returns, which a count alone may not show yet.
   */
  async #take(channel: Channel, before: readonly Message[], add: (message: Message) => void): Promise<void> {
    if (before.length === 0) return;
    before.forEach(add);
    const { messageCount } = await channel.checkQueue(this.#queue);
    if (messageCount === 0) return;
    let taken = 0;
    let tag = "";
    let idle: NodeJS.Timeout | undefined;
    await channel.prefetch(0);
    await new Promise<void>((resolve, reject) => {
      const failed = (error: unknown) => reject(error);
      channel.once("close", () => reject(new Error("the channel was closed")));
      const onMessage = (message: ConsumeMessage | null) => {
        if (message === null) return reject(new Error(`the queue "${this.#queue}" was deleted`));
        taken += 1;
        if (taken <= messageCount) add(message);
        if (taken === messageCount) resolve();
      };
      channel.consume(this.#queue, onMessage).then((consumer) => {
        tag = consumer.consumerTag;
        let seen = -1;
        idle = setInterval(() => {
          // Another reader, such as an operator's tool, has taken some.
          if (taken === seen) this.#topology.size(this.#queue).then((ready) => ready === 0 && resolve(), failed);
          seen = taken;
        }, IDLE);
      }, failed);
    }).finally(() => clearInterval(idle));
    if (tag !== "") await channel.cancel(tag);
  }

  /** Replaces letters by copies; those that could not be sent stay as they are. */
  async #renew(channel: Channel, letters: readonly Identified[]): Promise<readonly Message[]> {
    const failed: Message[] = [];
    for (let start = 0; start < letters.length; start += WINDOW) {
      const window = letters.slice(start, start + WINDOW);
      const done = await Promise.all(window.map((letter) => this.#copy(letter)));
      window.forEach(({ message }, index) => {
        if (done[index] === true) channel.ack(message);
        else failed.push(message);
      });
    }
    return failed;
  }

  async #copy({ message, id, order }: Identified): Promise<boolean> {
    const send = (cut: boolean) =>
      this.#publisher.deliver({
        exchange: "",
        routingKey: this.#queue,
        body: message.content,
        properties: renewedProperties(message, { id, order }, cut),
      });
    try {
      return await send(false);
    } catch {
      // amqplib sends at most 65,536 bytes of headers, and a letter of the original may have twice that.
      return send(true).catch((error: unknown) => {
        this.#logger.warn({ error, queue: this.#queue, id }, "A dead letter could not be renewed.");
        return false;
      });
    }
  }

  async #get(channel: Channel, count: number): Promise<Message[]> {
    const got = await Promise.all(Array.from({ length: count }, () => channel.get(this.#queue)));
    return got.filter((message) => message !== false);
  }

  /** Returns what is held, and waits until the queue has it: returns take effect later than calls are answered. */
  async #giveBack(channel: Channel, held: number): Promise<void> {
    channel.nackAll(true);
    for (let tries = 0; tries < SETTLING_TRIES; tries += 1) {
      const { messageCount } = await channel.checkQueue(this.#queue);
      if (messageCount >= held) break;
      await sleep(5);
    }
    if (held === 0) await settleDown(channel, this.#queue);
  }
}

function isWorn({ properties }: Message): boolean {
  const count: unknown = properties.headers?.["x-delivery-count"];
  return typeof count === "number" && count >= RENEW_AT;
}
