import { isPapaError } from "@papa-events/core";
import type { Logger } from "@papa-events/core/transport";
import type { Message } from "amqplib";
import { isConnectionLost } from "../client/errors.ts";
import { within } from "../client/time-limit.ts";
import type { QueuePublisher } from "../publishing/queue-publisher.ts";
import { renewedProperties } from "../wire/dead-letter-properties.ts";
import type { StampedMessage } from "../wire/dead-letter-stamp.ts";

/** A broker that takes longer to store a copy takes nothing just now. */
const MAX_COPY_MS = 10_000;
/** How long nothing is tried again that an account has been refused, or that the queue does not take. */
const REFUSED_MS = 60_000;
const FAILED_MS = 10_000;
/** Until when, by connection and queue. */
const restingUntil = new WeakMap<QueuePublisher, Map<string, number>>();

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

  /** Whether no copies are tried just now. */
  get isResting(): boolean {
    return performance.now() < (restingUntil.get(this.#publisher)?.get(this.#queue) ?? 0);
  }

  /**
   * Finds out whether copies can be stored: the account may only read, or the broker takes nothing.
   *
   * @throws PapaError `connection-failed` if a connection is lost
   */
  async isPossible(): Promise<boolean> {
    if (this.isResting) return false;
    try {
      this.#publisher.assertWritable();
      await this.#publisher.assertAllowed(this.#queue);
      return true;
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      if (isPapaError(error, "access-refused")) this.#rest(REFUSED_MS);
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
    if (isPapaError(error) && !isRefused && !error.retryable) return true;
    if (!isConnectionLost(error)) this.#rest(isRefused ? REFUSED_MS : FAILED_MS);
    return false;
  }

  /** Says that looks cost letters, but for what is done about it. */
  warnOfLimit(returns: number): void {
    this.#logger.warn(
      { queue: this.#queue, returns },
      "The broker destroys dead letters at their next return, since a policy sets a delivery-limit below its default of 20 for their queue. Looks replace them by copies in time, and take longer; take the policy from that queue.",
    );
  }

  #rest(milliseconds: number): void {
    const queues = restingUntil.get(this.#publisher) ?? new Map<string, number>();
    restingUntil.set(this.#publisher, queues.set(this.#queue, performance.now() + milliseconds));
  }
}

/** How often the broker has counted a return against a message. */
export function returnsOf({ properties }: Message): number {
  const count: unknown = properties.headers?.["x-delivery-count"];
  return typeof count === "number" ? count : 0;
}
