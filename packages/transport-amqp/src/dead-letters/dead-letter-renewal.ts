import { isPapaError } from "@papa-events/core";
import type { Logger } from "@papa-events/core/transport";
import type { Channel, Message } from "amqplib";
import type { QueuePublisher } from "../publishing/queue-publisher.ts";
import { renewedProperties } from "../wire/dead-letter-properties.ts";
import { type StampedMessage, stamped } from "../wire/dead-letter-stamp.ts";
import type { TakenMessage } from "./dead-letter-pass.ts";

/**
 * After how many returns a dead letter is renewed: each after its own number, so that no look has all of them to renew.
 * RabbitMQ 4 destroys a message at its 21st return to a quorum queue without a dead-letter exchange, and the arguments
 * of this queue are the original's.
 */
const MIN_RETURNS = 5;
const SPREAD = 8;
/** At so many a dead letter is renewed before any other is taken: looks that are killed renew nothing. */
const MAX_RETURNS = 14;

/** How many are renewed at a time. If the process is killed meanwhile, no more than these count another return. */
const RENEWAL_BATCH = 50;
/** How many copies are on their way at once when nothing is urgent. */
const MAX_COPIES = 500;

const NOT_RENEWED = "A dead letter could not be renewed.";

/** A dead letter that is held. */
export interface TakenLetter extends StampedMessage, TakenMessage {
  readonly message: Message;
}

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

  /** Renews dead letters that are held, and has each removed then. Those that could not be sent stay as they are. */
  async renew(letters: readonly TakenLetter[], remove: (letter: TakenLetter) => void): Promise<void> {
    for (let start = 0; start < letters.length; start += MAX_COPIES) {
      const batch = letters.slice(start, start + MAX_COPIES);
      const copied = await Promise.all(batch.map((letter) => this.#copy(letter)));
      batch.forEach((letter, index) => {
        if (copied[index] === true) remove(letter);
      });
      // Of an account that may only read, or of a broker that takes nothing, no more is asked.
      if (!copied.includes(true)) return;
    }
  }

  /**
   * Renews what the broker may soon destroy, a few at a time and before anything else is taken. The broker hands out
   * returned messages first, so that the first tells whether there are any. Resolves to messages that the channel holds and
   * that were not renewed: given back now, they might be missing in the count of what is ready.
   */
  async renewWorn(channel: Channel, first: Message): Promise<readonly Message[]> {
    for (let next: Message | false = first; next !== false; next = await channel.get(this.#queue)) {
      if (returnsOf(next) < MAX_RETURNS) return [next];
      const batch = [next, ...(await this.#get(channel, RENEWAL_BATCH - 1))];
      const copied = await Promise.all(
        batch.map(async (message) => returnsOf(message) >= MAX_RETURNS && this.#copy(stamped(message))),
      );
      batch.forEach((message, index) => {
        if (copied[index] === true) channel.ack(message);
      });
      const left = batch.filter((_, index) => copied[index] !== true);
      if (left.length > 0) return left;
    }
    return [];
  }

  async #get(channel: Channel, count: number): Promise<Message[]> {
    const got = await Promise.all(Array.from({ length: count }, () => channel.get(this.#queue)));
    return got.filter((message) => message !== false);
  }

  async #copy({ message, id, position }: StampedMessage): Promise<boolean> {
    const publish = (cutTraceback: boolean) =>
      this.#publisher.publish({
        queue: this.#queue,
        body: message.content,
        properties: renewedProperties(message, { id, position }, cutTraceback),
      });
    try {
      this.#publisher.assertWritable();
      return await publish(false);
    } catch {
      // amqplib sends at most 65,536 bytes of headers, and a dead letter of the original may have twice that.
      return publish(true).catch((error: unknown) => {
        const isRefused = isPapaError(error, "access-refused");
        this.#logger[isRefused ? "debug" : "warn"]({ err: error, queue: this.#queue, id }, NOT_RENEWED);
        return false;
      });
    }
  }
}

/** Whether a dead letter has been returned so often that it is to be renewed. */
export function isWorn(message: Message, id: string): boolean {
  const returns = returnsOf(message);
  return returns >= MIN_RETURNS && returns >= MIN_RETURNS + (id.charCodeAt(id.length - 1) % SPREAD);
}

function returnsOf({ properties }: Message): number {
  const count: unknown = properties.headers?.["x-delivery-count"];
  return typeof count === "number" ? count : 0;
}
