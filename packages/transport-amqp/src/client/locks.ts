import { isPapaError, PapaError } from "@papa-events/core";
import type { Channel } from "amqplib";
import type { Channels } from "./channels.ts";
import { codeOf } from "./errors.ts";
import { sleep } from "./sleep.ts";

/** How long to wait for a lock: a dead holder loses it with its connection, after two heartbeats. */
const MAX_WAIT_MS = 60_000;
const INITIAL_BACKOFF_MS = 5;
const MAX_BACKOFF_MS = 200;

/**
 * Mutual exclusion between all programs on a broker. A lock is a queue that is exclusive to one connection: nobody else
 * can declare it (405) until it is deleted, and it goes with the connection.
 */
export class Locks {
  readonly #channels: Channels;
  /** Keeps order within the process, since the broker lets one connection declare the queue twice. */
  readonly #local = new Map<string, Promise<unknown>>();

  constructor(channels: Channels) {
    this.#channels = channels;
  }

  /**
   * Runs `action` while nobody else holds the lock of this name.
   *
   * @param required whether it is refused to an account that may not make the lock's queue; else it then runs without the lock
   * @throws PapaError `connection-failed`, `access-refused`
   */
  hold<T>(name: string, action: () => Promise<T>, required = true): Promise<T> {
    const before = this.#local.get(name) ?? Promise.resolve();
    const run = before.then(() => this.#hold(`${name}:lock`, action, required));
    const settled = run.then(
      () => {},
      () => {},
    );
    this.#local.set(name, settled);
    void settled.then(() => {
      if (this.#local.get(name) === settled) this.#local.delete(name);
    });
    return run;
  }

  /** Whether this connection holds the lock of this name, or waits for it. */
  isHeldHere(name: string): boolean {
    return this.#local.has(name);
  }

  /**
   * Looks at something while nobody holds the lock of this name, and without holding it: it is asked right before and
   * right after. Resolves to `undefined` where somebody does. Not to be called while this connection holds it.
   */
  glance<T>(name: string, look: (channel: Channel) => Promise<T>): Promise<{ readonly seen: T } | undefined> {
    return this.#channels.withChannel(async (channel) => {
      // To delete a queue that is not there is no error, and keeps the channel open.
      const assertFree = () => channel.deleteQueue(`${name}:lock`);
      try {
        await assertFree();
        const seen = await look(channel);
        await assertFree();
        return { seen };
      } catch (error) {
        if (codeOf(error) === 405) return undefined;
        throw error;
      }
    });
  }

  async #hold<T>(queue: string, action: () => Promise<T>, required: boolean): Promise<T> {
    try {
      await this.#acquire(queue);
    } catch (error) {
      if (required || !isPapaError(error, "access-refused")) throw error;
      return action();
    }
    try {
      return await action();
    } finally {
      // If the connection is gone, so is the lock.
      await this.#channels.withChannel((channel) => channel.deleteQueue(queue)).catch(() => {});
    }
  }

  async #acquire(queue: string): Promise<void> {
    const deadline = performance.now() + MAX_WAIT_MS;
    for (let backoff = INITIAL_BACKOFF_MS; ; backoff = Math.min(backoff * 2, MAX_BACKOFF_MS)) {
      if (await this.#tryAcquire(queue)) return;
      if (performance.now() > deadline) {
        const message = `Another program has held "${queue}" for ${MAX_WAIT_MS} ms.`;
        throw new PapaError("connection-failed", message, { transport: "amqp" }, { retryable: true });
      }
      await sleep(backoff * (0.5 + Math.random()));
    }
  }

  #tryAcquire(queue: string): Promise<boolean> {
    return this.#channels.withChannel(async (channel) => {
      try {
        await channel.assertQueue(queue, { exclusive: true, durable: false });
        return true;
      } catch (error) {
        // Resource locked; or the queue is just going away with its connection.
        const code = codeOf(error);
        if (code === 405 || code === 404) return false;
        throw error;
      }
    });
  }
}
