import { isPapaError } from "@papa-events/core";
import type { Logger, Progress } from "@papa-events/core/transport";
import type { Channels } from "../client/channels.ts";
import { isConnectionLost } from "../client/errors.ts";
import type { Locks } from "../client/locks.ts";
import { sleep } from "../client/sleep.ts";
import type { QueuePublisher } from "../publishing/queue-publisher.ts";
import { isLasting, type StampedMessage } from "../wire/dead-letter-stamp.ts";
import { DeadLetterAction } from "./dead-letter-action.ts";
import { DeadLetterLook } from "./dead-letter-look.ts";
import { DeadLetterRenewal } from "./dead-letter-renewal.ts";
import { LetterWindow, sizeOf, type WindowOptions } from "./letter-window.ts";
import type { RecentDeadLetters, RecentLetters } from "./recent-letters.ts";

/** From so many on a look takes long enough that the copies of the newest are worth it; as many as that are kept. */
const MANY = 2_000;
const MAX_RECENT = 500;
const MAX_RECENT_BYTES = 16 * 1_048_576;
/** Fewer copies than this are too few for the first pages, unless they are large. */
const MIN_RECENT = 100;

/** How long a count waits for somebody who is looking at the dead letters, and how often it asks. */
const MAX_COUNT_WAIT_MS = 3_000;
const COUNT_CHECK_MS = 20;

export interface DeadLetterQueueOptions {
  readonly queue: string;
  /** The queue of copies of the newest. */
  readonly recentQueue: string;
  readonly recent: RecentDeadLetters;
  readonly channels: Channels;
  readonly locks: Locks;
  readonly publisher: QueuePublisher;
  readonly logger: Logger;
  /** Looks and actions of this connection that are under way on any queue. */
  readonly underway: Underway;
}

/** What holds dead letters just now, by queue; it is waited for when the connection is closed. */
export class Underway {
  readonly #holding = new Map<string, { readonly held: number }>();
  readonly #all = new Set<Promise<unknown>>();

  /** How many of a queue are held by this connection. */
  held(queue: string): number {
    return this.#holding.get(queue)?.held ?? 0;
  }

  async during<T>(queue: string, holder: { readonly held: number }, action: () => Promise<T>): Promise<T> {
    this.#holding.set(queue, holder);
    try {
      return await action();
    } finally {
      this.#holding.delete(queue);
    }
  }

  add(promise: Promise<unknown>): void {
    this.#all.add(promise);
    const forget = () => this.#all.delete(promise);
    promise.then(forget, forget);
  }

  /** Resolves when nothing is under way any more. Never rejects. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#all);
  }
}

/**
 * The dead letters in one queue. AMQP can only take messages and return them, so only one program at a time may do so: a
 * dead letter that another one holds cannot be seen. What a look shows is copied, and given back before it is shown.
 */
export class DeadLetterQueue {
  readonly #options: DeadLetterQueueOptions;
  readonly #renewal: DeadLetterRenewal;

  constructor(options: DeadLetterQueueOptions) {
    const { queue, publisher, logger } = options;
    this.#options = options;
    this.#renewal = new DeadLetterRenewal(queue, publisher, logger);
  }

  /** How many are in the queue, and not held by anybody; `undefined` if there is no such queue. */
  size(): Promise<number | undefined> {
    return this.#options.channels.queueSize(this.#options.queue);
  }

  /** Counts them, those that somebody holds included; `undefined` if there is no such queue. */
  async count(): Promise<number | undefined> {
    const { queue, locks, underway } = this.#options;
    const deadline = performance.now() + MAX_COUNT_WAIT_MS;
    let most = 0;
    while (performance.now() < deadline) {
      const glance = locks.isHeldHere(queue) ? undefined : await this.#glance();
      if (glance !== undefined) return glance.size;
      const ready = await this.size();
      if (ready === undefined) return undefined;
      most = Math.max(most, ready + underway.held(queue));
      await sleep(COUNT_CHECK_MS);
    }
    // Somebody takes long, or one look follows the other: what is held cannot be counted, and is not for long.
    return most;
  }

  async #glance(): Promise<{ readonly size: number | undefined } | undefined> {
    const { queue, locks } = this.#options;
    try {
      const glance = await locks.glance(queue, async (channel) => (await channel.checkQueue(queue)).messageCount);
      return glance === undefined ? undefined : { size: glance.seen };
    } catch (error) {
      // There is no such queue; or the account may not make locks, and cannot tell who does.
      if (!isPapaError(error) || isConnectionLost(error)) throw error;
      return { size: await this.size() };
    }
  }

  /** Keeps a part of them, for which it has to look at all unless the copies of the newest will do. @throws PapaError */
  async window(options: WindowOptions): Promise<LetterWindow> {
    const recent = options.order === "newest" ? await this.#recent(options) : undefined;
    if (recent !== undefined) return recent;
    const stamps = [options.after, options.upTo].every((each) => each === undefined || isLasting(each.position));
    const look = async () => {
      const window = new LetterWindow(options);
      await this.#look((letter) => {
        window.add(letter);
        return false;
      }, stamps);
      return window;
    };
    return look().catch((error: unknown) => {
      // Some could not be stored in their place any more: then none gets one, and all have the same ones at each look.
      if (this.#renewal.isResting) return look();
      throw error;
    });
  }

  /** Looks for one. @throws PapaError */
  async find(id: string): Promise<StampedMessage | undefined> {
    const recent = await this.#believed();
    const copy = recent?.letters.find((each) => each.id === id);
    if (copy !== undefined) return copy;
    let found: StampedMessage | undefined;
    await this.#look((letter) => {
      if (letter.id !== id) return false;
      found = { ...letter, message: { ...letter.message, content: Buffer.from(letter.message.content) } };
      return true;
    });
    return found;
  }

  /**
   * Acts on each that is meant, in the queue's order, and removes it then: a crash in between repeats, it loses nothing.
   *
   * @throws PapaError what is wrong with the first that could not be acted on; it stays and keeps no others from it
   */
  async act(
    which: ReadonlySet<string> | ((letter: StampedMessage) => boolean),
    act: (letter: StampedMessage) => Promise<void>,
    progress: Progress,
  ): Promise<number> {
    const { queue, channels, locks, underway, publisher, recent } = this.#options;
    await publisher.assertAllowed(queue);
    return locks.hold(queue, async () => {
      const action = new DeadLetterAction({ queue, channels, renewal: this.#renewal, which, act, progress });
      try {
        return await underway.during(queue, action, () => action.run());
      } finally {
        if (action.removed.size > 0) await recent.forget(this.#pair, action.removed);
      }
    });
  }

  /** Destroys all of them. @throws PapaError */
  async purge(): Promise<number> {
    const { queue, channels, locks, publisher, recent } = this.#options;
    await publisher.assertAllowed(queue);
    return locks.hold(queue, async () => {
      const { messageCount } = await channels.withChannel((channel) => channel.purgeQueue(queue));
      await recent.clear(this.#pair);
      return messageCount;
    });
  }

  /**
   * Makes copies of the newest where there are many and hardly any copies. Nothing where somebody is looking just now, who makes
   * them, or where the account may not.
   *
   * @throws PapaError
   */
  async prepare(signal: AbortSignal): Promise<void> {
    const { queue, recentQueue, recent, channels, locks } = this.#options;
    if (((await this.size()) ?? 0) <= MANY) return;
    if (((await channels.queueSize(recentQueue)) ?? 0) >= MIN_RECENT) return;
    if (locks.isHeldHere(queue) || (await locks.glance(queue, async () => {})) === undefined) return;
    await recent.declare(this.#pair);
    await this.#look(
      () => signal.aborted,
      true,
      () => this.#lacksCopies(),
    );
  }

  async #lacksCopies(): Promise<boolean> {
    const found = await this.#options.recent.read(this.#pair);
    if (found === undefined || found.expected !== (await this.size())) return true;
    const bytes = found.letters.reduce((sum, letter) => sum + sizeOf(letter), 0);
    return found.letters.length < MIN_RECENT && bytes < MAX_RECENT_BYTES / 2;
  }

  get #pair(): { readonly dead: string; readonly recent: string } {
    return { dead: this.#options.queue, recent: this.#options.recentQueue };
  }

  /** What the copies of the newest say, if there are many and the numbers agree. */
  async #believed(): Promise<RecentLetters | undefined> {
    const { queue, locks, recent, underway } = this.#options;
    // A look of this connection may still be giving them back.
    if (((await this.size()) ?? 0) + underway.held(queue) <= MANY) return undefined;
    return locks.hold(
      queue,
      async () => {
        const found = await recent.read(this.#pair);
        return found?.expected === (await this.size()) ? found : undefined;
      },
      false,
    );
  }

  /** A whole page of the newest, if the copies have one. */
  async #recent(options: WindowOptions): Promise<LetterWindow | undefined> {
    if (!Number.isFinite(options.limit)) return undefined;
    const found = await this.#believed();
    if (found === undefined) return undefined;
    const window = new LetterWindow(options);
    for (const letter of found.letters) window.add(letter);
    const isWhole = window.size === options.limit || window.more;
    window.continues();
    // A page must not end where only the copies say where that is.
    return isWhole && window.end !== undefined && isLasting(window.end.position) ? window : undefined;
  }

  /**
   * Resolves when all has been seen; where there are many, it goes on for a moment and keeps others waiting.
   *
   * @param isNeeded asked while nobody else looks
   */
  #look(
    onLetter: (letter: StampedMessage) => boolean,
    stamps = true,
    isNeeded: () => Promise<boolean> = async () => true,
  ): Promise<void> {
    const { queue, channels, locks, underway, logger } = this.#options;
    const newest = new LetterWindow({ order: "newest", limit: MAX_RECENT, maxBytes: MAX_RECENT_BYTES });
    return new Promise((resolve, reject) => {
      const look = new DeadLetterLook({
        queue,
        channels,
        renewal: this.#renewal,
        stamps,
        onLetter: (letter) => {
          newest.add(letter);
          return onLetter(letter);
        },
      });
      const looking = locks.hold(
        queue,
        () =>
          underway.during(queue, look, async () => {
            try {
              if (!(await isNeeded())) return;
              await look.take();
              if (look.count > MANY) resolve();
              await look.finish();
              if (look.isComplete && look.count > MANY) await this.#keepRecent([...newest.letters()], look.count);
            } catch (error) {
              throw channels.errorOf(error);
            } finally {
              look.drop();
            }
          }),
        false,
      );
      looking.then(
        () => resolve(),
        (error: unknown) => {
          logger.debug({ err: error, queue }, "A look at dead letters was cut short.");
          reject(error);
        },
      );
      underway.add(looking);
    });
  }

  /** Renews the copies where they do not agree with what was seen, are too few, or have no place yet. */
  async #keepRecent(newest: readonly StampedMessage[], count: number): Promise<void> {
    const { recent } = this.#options;
    const found = await recent.read(this.#pair);
    const size = await this.size();
    const isGood = found?.letters.every(({ position }) => isLasting(position)) === true;
    if (isGood && found?.expected === size && found.letters.length >= newest.length) return;
    // Of those that came meanwhile there would be no copies, and those without a place are shown by a look only.
    const isWhole = size === count && newest.every(({ position }) => isLasting(position));
    if (isWhole) await recent.replace(this.#pair, newest.toReversed(), count);
  }
}
