import type { Logger } from "@papa-events/core/transport";
import type { DeadLetterQueue } from "./dead-letter-queue.ts";

/** Not in a process that dies soon after its start, and not in all instances of a deploy at once. */
const MIN_DELAY_MS = 30_000;
const MAX_DELAY_MS = 60_000;

export interface CopyPreparationOptions {
  /** The dead letters of this app's use cases. */
  readonly queues: () => readonly DeadLetterQueue[];
  readonly logger: Logger;
}

/**
 * Has copies made of the newest dead letters that the original or an earlier version has left, once, a while after an app's
 * start. Otherwise whoever asks for the first page of very many waits until all of them were looked at.
 */
export class CopyPreparation {
  readonly #options: CopyPreparationOptions;
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #preparing: Promise<void> | undefined;

  constructor(options: CopyPreparationOptions) {
    this.#options = options;
  }

  /** Plans it. Idempotent. */
  start(): void {
    if (this.#timer !== undefined || this.#stopping.signal.aborted) return;
    const delay = MIN_DELAY_MS + Math.random() * (MAX_DELAY_MS - MIN_DELAY_MS);
    this.#timer = setTimeout(() => {
      this.#preparing = this.#prepare();
    }, delay).unref();
  }

  /** Ends it, and resolves when all is given back. Never rejects. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#preparing;
  }

  async #prepare(): Promise<void> {
    const { queues, logger } = this.#options;
    const { signal } = this.#stopping;
    for (const queue of queues()) {
      if (signal.aborted) return;
      try {
        await queue.prepare(signal);
      } catch (error) {
        logger.debug({ err: error }, "Copies of the newest dead letters could not be made.");
      }
    }
  }
}
