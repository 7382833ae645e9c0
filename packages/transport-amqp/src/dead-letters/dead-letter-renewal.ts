import { isPapaError } from "@papa-events/core";
import type { Logger } from "@papa-events/core/transport";
import type { Message } from "amqplib";
import { within } from "../client/time-limit.ts";
import type { QueuePublisher } from "../publishing/queue-publisher.ts";
import { renewedProperties } from "../wire/dead-letter-properties.ts";
import type { StampedMessage } from "../wire/dead-letter-stamp.ts";

/** A broker that takes longer to store a copy takes nothing just now. */
const MAX_COPY_MS = 10_000;
/** How long nothing is tried again that an account has been refused. */
const REFUSED_MS = 60_000;
const refusedUntil = new WeakMap<QueuePublisher, number>();

/**
 * Stores copies of dead letters in their own queue, with the same id and position; the broker counts returns from 0 for
 * them. The copy is stored and confirmed before the old message is acknowledged. A crash in between leaves two of one
 * id, of which the next reader drops one.
 */
export class DeadLetterRenewal {
  readonly #queue: string;
  readonly #publisher: QueuePublisher;
  readonly #logger: Logger;

  constructor(queue: string, publisher: QueuePublisher, logger: Logger) {
    this.#queue = queue;
    this.#publisher = publisher;
    this.#logger = logger;
  }

  /** Finds out whether copies can be stored: the account may only read, or the broker takes nothing. */
  async isPossible(): Promise<boolean> {
    if (performance.now() < (refusedUntil.get(this.#publisher) ?? 0)) return false;
    try {
      this.#publisher.assertWritable();
      await this.#publisher.assertAllowed(this.#queue);
      return true;
    } catch (error) {
      if (!isPapaError(error, "access-refused")) return false;
      refusedUntil.set(this.#publisher, performance.now() + REFUSED_MS);
      return false;
    }
  }

  /** @throws PapaError, or an error that says that the broker does not answer */
  async copy({ message, id, position }: StampedMessage): Promise<void> {
    const publish = (cutTraceback: boolean) => {
      this.#publisher.assertWritable();
      const properties = renewedProperties(message, { id, position }, cutTraceback);
      return this.#publisher.publish({ queue: this.#queue, body: message.content, properties });
    };
    // amqplib sends at most 65,536 bytes of headers, and a dead letter of the original may have twice that.
    const published = publish(false).catch((error: unknown) => {
      if (!isPapaError(error) || error.retryable || error.code === "access-refused") throw error;
      return publish(true);
    });
    if (!(await within(published, MAX_COPY_MS, "the broker does not confirm it")))
      throw new Error(`the queue "${this.#queue}" was deleted`);
  }

  /** Logs that one could not be copied. Tells whether others may be all the same. */
  isAlone(error: unknown, id: string): boolean {
    const isRefused = isPapaError(error, "access-refused");
    this.#logger[isRefused ? "debug" : "warn"](
      { err: error, queue: this.#queue, id },
      "A dead letter could not be renewed.",
    );
    return isPapaError(error) && !isRefused && !error.retryable;
  }

  /** Says that looks cost letters, but for what is done about it. */
  warnOfLimit(returns: number): void {
    this.#logger.warn(
      { queue: this.#queue, returns },
      "The broker destroys dead letters at their next return, since a policy sets a delivery-limit below its default of 20 for their queue. Looks replace them by copies in time, and take longer; take the policy from that queue.",
    );
  }
}

/** How often the broker has counted a return against a message. */
export function returnsOf({ properties }: Message): number {
  const count: unknown = properties.headers?.["x-delivery-count"];
  return typeof count === "number" ? count : 0;
}
