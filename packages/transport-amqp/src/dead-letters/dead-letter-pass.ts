import type { Channel, ConsumeMessage, Message } from "amqplib";
import type { Channels } from "../client/channels.ts";
import { closeChannel } from "../client/close-channel.ts";
import { flushAcknowledgements } from "../client/flush-acknowledgements.ts";
import { sleep } from "../client/sleep.ts";

/** A quorum queue hands one consumer at most so many messages that are not acknowledged, whatever its prefetch. */
const MAX_PER_CONSUMER = 2_000;
/** The first consumer has fewer, since nobody knows yet how large they are. */
const INITIAL_PREFETCH = 64;
const MIN_PREFETCH = 16;
/** How many messages at a time it takes of those that may not be returned often any more. */
const CAREFUL_PREFETCH = 50;
/** About how many bytes may be on their way at once. */
const MAX_BYTES_UNDERWAY = 32 * 1_048_576;
/**
 * How often to check whether any message is left where none came since: another program may have taken some. On a busy machine
 * those that the queue has handed out take a while to come.
 */
const IDLE_CHECK_MS = 250;
const MAX_IDLE_CHECKS = 8;
/** How long to wait until what was returned is counted again; another reader may take it before. */
const MAX_RETURN_MS = 10_000;
/** Another reader takes some: their order is lost then. */
const MAX_ORDERED_RETURN_MS = 1_000;
const RETURN_CHECK_MS = 5;
const MANY_CHECK_MS = 50;

/** A dead letter that a pass has taken and not acknowledged. */
export interface TakenMessage {
  readonly message: Message;
  readonly holder: Holder;
}

/** What becomes of a message that was just taken: it is kept to the end of the pass, or it is still being decided about. */
export type Visited = "kept" | "pending";

/** One channel, and what it holds. */
interface Holder {
  readonly channel: Channel;
  readonly prefetch: number;
  /** It has served its purpose when it has shown how large the messages are, and how often they were returned. */
  readonly isFirst: boolean;
  consumerTag: string | undefined;
  /** What is acknowledged when the consumer is cancelled: the broker would return what it sends in place of it meanwhile. */
  readonly removable: Message[];
  isConsuming: boolean;
  /** How many came, how many of them stay to the end of the pass, and how many are removed. */
  taken: number;
  kept: number;
  removed: number;
  /** Ends the wait for more messages on this channel. */
  wake: () => void;
}

export interface PassOptions {
  readonly queue: string;
  readonly channels: Channels;
  /** Called for each message, in the queue's order; `isLate` if it came after those that are meant. */
  readonly visit: (taken: TakenMessage, isLate: boolean) => Visited;
  /** Called whenever a channel is full, before more is taken, and at the end. */
  readonly onFull: (isLast: boolean) => Promise<void>;
  /** Asked before more is taken than is on its way: resolves when there is room for that. */
  readonly room?: () => Promise<void>;
}

/**
 * Goes once through what is ready in a queue when it begins. AMQP can only take messages and return them, and a quorum
 * queue hands out no more than 2,000 to one consumer. So a channel that is full is followed by another, and all are
 * given back in the order in which they were taken.
 */
export class DeadLetterPass {
  readonly #options: PassOptions;
  readonly #holders: Holder[] = [];
  #expected = 0;
  #taken = 0;
  /** Removed for good, or given back. */
  #removed = 0;
  #bytes = 0;
  #stopped = false;
  #careful: boolean | undefined;
  #ended: Error | undefined;

  constructor(options: PassOptions) {
    this.#options = options;
  }

  /** How many messages it holds. */
  get held(): number {
    return this.#taken - this.#removed;
  }

  /** Takes all there is, or until {@link stop}. @throws what the broker refuses, or that a channel was closed */
  async take(): Promise<void> {
    const { queue, room, onFull } = this.#options;
    let holder = await this.#open(1);
    // A get passes through the queue's log behind all earlier returns, which a count alone may not show yet.
    const first = await holder.channel.get(queue);
    if (first === false) return;
    this.#expected = first.fields.messageCount + 1;
    this.#visit(first, holder);
    // What was got and what a consumer has come back in any order, but for those of different channels.
    if (!this.#isComplete) holder = await this.#open(INITIAL_PREFETCH, true);
    if (!this.#isComplete) await this.#consume(holder);
    while (!this.#isComplete) {
      await onFull(false);
      if (this.#isComplete) break;
      await room?.();
      holder = await this.#open(this.#prefetch);
      await this.#consume(holder);
    }
    await onFull(true);
  }

  /**
   * Has the broker count a return against some messages. They are met again, behind what was returned earlier. Resolves to how
   * many of them are still there; to `undefined` if there is nothing else that would tell.
   */
  async returnEarly(messages: readonly TakenMessage[]): Promise<number | undefined> {
    const { queue } = this.#options;
    const holders = [...new Set(messages.map(({ holder }) => holder))];
    const last = holders.at(-1);
    // What a get says is behind all that was before it; a count may be of a moment ago.
    const before = await last?.channel.get(queue);
    if (last === undefined || before === undefined || before === false) return undefined;
    this.#visit(before, last);
    for (const { message, holder } of messages) {
      // A nack does not count with the newest.
      holder.channel.reject(message, true);
      holder.removed += 1;
      this.#removed += 1;
    }
    for (const { channel } of holders) await flushAcknowledgements(channel, queue);
    const after = await last.channel.get(queue);
    const left = (after === false ? 0 : after.fields.messageCount + 1) - before.fields.messageCount;
    if (after !== false) this.#visit(after, last);
    return left;
  }

  /** To be called for a message that is met again, or was not there when the pass began: all the others are still to come. */
  countAgain(): void {
    this.#expected += 1;
  }

  /** Takes few at a time until a channel is full of what is kept: what it holds when it is killed counts as returned. */
  beCareful(): void {
    this.#careful ??= true;
  }

  /** Takes no more. */
  stop(): void {
    this.#stopped = true;
    for (const { wake } of this.#holders) wake();
  }

  /** Removes a message for good. */
  remove({ message, holder }: TakenMessage): void {
    if (this.#ended !== undefined) throw this.#ended;
    if (holder.isFirst && holder.isConsuming) holder.removable.push(message);
    else holder.channel.ack(message);
    holder.removed += 1;
    this.#removed += 1;
  }

  /** To be called when a message that was pending is kept after all. */
  keep({ holder }: TakenMessage): void {
    holder.kept += 1;
    if (this.#isFull(holder)) holder.wake();
  }

  /**
   * Gives everything back that was not removed, and waits until the queue has it. The broker counts it against messages
   * all the same whether they are returned or their channel is closed, but for the newest. Older ones take seconds to
   * return some ten thousand, and next to nothing to close a channel.
   */
  async giveBack(): Promise<void> {
    const { queue, channels } = this.#options;
    const { held } = this;
    let expected = 0;
    let inOrder = channels.countReturns;
    try {
      for (const holder of this.#holders) await this.#cancel(holder);
      await Promise.all(
        this.#holders.filter(({ removed }) => removed > 0).map(({ channel }) => flushAcknowledgements(channel, queue)),
      );
      // Copies of some are there already.
      expected = held + ((await channels.queueSize(queue)) ?? 0);
      for (const { channel, taken, removed } of this.#holders) {
        if (!channels.countReturns) {
          channel.nackAll(true);
          await channel.checkQueue(queue);
        }
        await closeChannel(channel);
        this.#removed += taken - removed;
        // What one channel had may come back later than what the next had, and then in another order.
        if (inOrder) inOrder = await this.#counted(expected - this.held, MAX_ORDERED_RETURN_MS);
      }
    } finally {
      this.drop();
    }
    await this.#counted(expected, MAX_RETURN_MS, held > MAX_PER_CONSUMER);
  }

  /**
   * Waits until the queue has so many messages; resolves to whether it has.
   *
   * @param isMany whether a count that is of a moment ago may reach that while very many are still being returned
   */
  async #counted(expected: number, limit: number, isMany = false): Promise<boolean> {
    const { queue, channels } = this.#options;
    const since = performance.now();
    let before = isMany ? -1 : undefined;
    while (performance.now() - since < limit) {
      const size = (await channels.queueSize(queue)) ?? expected;
      if (size >= expected && (before === undefined || size === before)) return true;
      if (isMany) before = size;
      await sleep(isMany ? MANY_CHECK_MS : RETURN_CHECK_MS);
    }
    return false;
  }

  /** Closes what is still open: the broker takes everything back. */
  drop(): void {
    this.#ended ??= new Error("the pass has ended");
    for (const { channel } of this.#holders.splice(0)) void closeChannel(channel);
  }

  get #isComplete(): boolean {
    if (this.#ended !== undefined) throw this.#ended;
    return this.#stopped || this.#taken >= this.#expected;
  }

  /** How many more may be on their way, by how large those before were. */
  get #prefetch(): number {
    if (this.#careful === true) return CAREFUL_PREFETCH;
    const average = this.#bytes / Math.max(1, this.#taken);
    return Math.min(MAX_PER_CONSUMER, Math.max(MIN_PREFETCH, Math.floor(MAX_BYTES_UNDERWAY / Math.max(1, average))));
  }

  async #open(prefetch: number, isFirst = false): Promise<Holder> {
    const channel = await this.#options.channels.open();
    const holder: Holder = {
      channel,
      prefetch,
      isFirst,
      consumerTag: undefined,
      removable: [],
      isConsuming: false,
      taken: 0,
      kept: 0,
      removed: 0,
      wake: () => {},
    };
    channel.on("close", () => this.#end(new Error("the channel was closed")));
    channel.on("error", (error: Error) => this.#end(error));
    this.#holders.push(holder);
    return holder;
  }

  /** Takes as many as a channel may hold. */
  async #consume(holder: Holder): Promise<void> {
    const { queue, channels } = this.#options;
    const { channel, prefetch } = holder;
    let taken = -1;
    let checks = 0;
    const idle = setInterval(() => {
      checks = taken === this.#taken ? checks + 1 : 0;
      taken = this.#taken;
      if (checks < MAX_IDLE_CHECKS) return;
      channels.queueSize(queue).then(
        (ready) => {
          if (ready === 0 && taken === this.#taken) this.stop();
        },
        () => {},
      );
    }, IDLE_CHECK_MS);
    try {
      await channel.prefetch(prefetch);
      const full = new Promise<void>((resolve) => {
        holder.wake = resolve;
      });
      if (this.#isComplete) return;
      holder.isConsuming = true;
      const { consumerTag } = await channel.consume(queue, (message) => this.#receive(message, holder));
      holder.consumerTag = consumerTag;
      await full;
      if (this.#ended !== undefined) throw this.#ended;
      if (this.#careful && holder.kept >= prefetch) this.#careful = false;
      // Else what is removed later would make room for more.
      await this.#cancel(holder);
    } finally {
      clearInterval(idle);
    }
  }

  /** Must not throw: amqplib would close the channel. */
  #receive(message: ConsumeMessage | null, holder: Holder): void {
    if (message === null) this.#end(new Error(`the queue "${this.#options.queue}" was deleted`));
    else this.#visit(message, holder);
  }

  #visit(message: Message, holder: Holder): void {
    this.#taken += 1;
    holder.taken += 1;
    this.#bytes += message.content.length;
    const isLate = this.#stopped || this.#taken > this.#expected;
    try {
      if (this.#options.visit({ message, holder }, isLate) === "kept") holder.kept += 1;
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
    }
    if (this.#isFull(holder) || this.#stopped || this.#taken >= this.#expected) holder.wake();
  }

  #isFull({ taken, kept, prefetch, isFirst }: Holder): boolean {
    return (isFirst ? taken : kept) >= prefetch;
  }

  async #cancel(holder: Holder): Promise<void> {
    const tag = holder.consumerTag;
    holder.consumerTag = undefined;
    if (tag !== undefined) await holder.channel.cancel(tag);
    holder.isConsuming = false;
    for (const message of holder.removable.splice(0)) holder.channel.ack(message);
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { wake } of this.#holders) wake();
  }
}
