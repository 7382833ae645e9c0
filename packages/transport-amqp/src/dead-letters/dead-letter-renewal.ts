import type { Logger } from "@papa-events/core/transport";
import type { Channel, Message } from "amqplib";
import type { QueuePublisher } from "../publishing/queue-publisher.ts";
import { renewedProperties } from "../wire/dead-letter-properties.ts";
import type { StampedMessage } from "../wire/dead-letter-stamp.ts";

/**
 * After how many returns a dead letter is renewed. RabbitMQ 4 destroys a message at its 21st return to a quorum queue
 * without a dead-letter exchange, and the arguments of this queue are the original's.
 */
const MAX_RETURNS = 5;

/** How many are renewed at a time. If the process is killed meanwhile, no more than these count another return. */
export const RENEWAL_BATCH = 50;

/**
 * Replaces dead letters by copies with the same id and position. The copy is stored and confirmed before the old
 * message is acknowledged. A crash in between leaves two of one id, of which the next reader drops one.
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

  /** Renews dead letters that a channel holds, and returns those that could not be sent. They stay as they are. */
  async renew(channel: Channel, deadLetters: readonly StampedMessage[]): Promise<readonly Message[]> {
    const failed: Message[] = [];
    for (let start = 0; start < deadLetters.length; start += RENEWAL_BATCH) {
      const batch = deadLetters.slice(start, start + RENEWAL_BATCH);
      const copied = await Promise.all(batch.map((deadLetter) => this.#copy(deadLetter)));
      batch.forEach(({ message }, index) => {
        if (copied[index] === true) channel.ack(message);
        else failed.push(message);
      });
    }
    return failed;
  }

  async #copy({ message, id, position }: StampedMessage): Promise<boolean> {
    const publish = (cutTraceback: boolean) =>
      this.#publisher.publish({
        queue: this.#queue,
        body: message.content,
        properties: renewedProperties(message, { id, position }, cutTraceback),
      });
    try {
      return await publish(false);
    } catch {
      // amqplib sends at most 65,536 bytes of headers, and a dead letter of the original may have twice that.
      return publish(true).catch((error: unknown) => {
        this.#logger.warn({ err: error, queue: this.#queue, id }, "A dead letter could not be renewed.");
        return false;
      });
    }
  }
}

/** Whether a message has been returned so often that it must be renewed. */
export function needsRenewal({ properties }: Message): boolean {
  const count: unknown = properties.headers?.["x-delivery-count"];
  return typeof count === "number" && count >= MAX_RETURNS;
}
