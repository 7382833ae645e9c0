import { PapaError } from "@papa-events/core";
import type { Topology } from "../declarations/topology.ts";
import { codeOf } from "./errors.ts";
import { sleep } from "./time-limit.ts";

/** How long to wait for whoever has the lock: its holder, if dead, loses it with its connection after two heartbeats. */
const PATIENCE = 60_000;
const LONGEST_PAUSE = 200;

/**
 * Mutual exclusion between all programs on a broker, by queues that belong to one connection: nobody else can declare
 * such a queue (405) until it is deleted, and it goes with the connection.
 */
export class Locks {
  readonly #topology: Topology;
  /** The broker lets the same connection declare it twice, so within the process this keeps order. */
  readonly #local = new Map<string, Promise<unknown>>();

  constructor(topology: Topology) {
    this.#topology = topology;
  }

  /** Runs `action` while nobody else has the lock of this name. @throws PapaError `connection-failed` */
  hold<T>(name: string, action: () => Promise<T>): Promise<T> {
    const before = this.#local.get(name) ?? Promise.resolve();
    const run = before.then(() => this.#hold(`${name}:lock`, action));
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

  async #hold<T>(queue: string, action: () => Promise<T>): Promise<T> {
    await this.#acquire(queue);
    try {
      return await action();
    } finally {
      // Where the connection is gone the lock is too.
      await this.#topology.onChannel((channel) => channel.deleteQueue(queue)).catch(() => {});
    }
  }

  async #acquire(queue: string): Promise<void> {
    const giveUp = performance.now() + PATIENCE;
    for (let pause = 5; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      if (await this.#tryToAcquire(queue)) return;
      if (performance.now() > giveUp) {
        const message = `Another program has held "${queue}" for ${PATIENCE} ms.`;
        throw new PapaError("connection-failed", message, { transport: "amqp" }, { retryable: true });
      }
      await sleep(pause * (0.5 + Math.random()));
    }
  }

  #tryToAcquire(queue: string): Promise<boolean> {
    return this.#topology.onChannel(async (channel) => {
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
