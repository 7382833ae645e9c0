import { PapaError } from "@papa-events/core";
import type { Message } from "amqplib";
import type { Channels } from "../client/channels.ts";
import { flushAcknowledgements } from "../client/flush-acknowledgements.ts";
import type { Locks } from "../client/locks.ts";
import { within } from "../client/time-limit.ts";
import type { QueuePublisher } from "../publishing/queue-publisher.ts";
import { takeMessages } from "./take-message.ts";

/** How long to wait for the message while others have it. A holder that was killed loses it with its connection. */
const MAX_READ_WAIT_MS = 5_000;
const MAX_CHANGE_WAIT_MS = 9_000;
/** How long a change may take to be stored: nobody can read the document meanwhile. */
const MAX_PUBLISH_MS = 5_000;
/** After how many returns a reader stores the message anew: far fewer than its queue permits, at any number of readers. */
const MAX_RETURNS = 100_000;

/** How a document is read and written. */
export interface DocumentKind<T> {
  readonly empty: T;
  /** Makes a document of parsed JSON. Anybody may have written that, so nothing in it is trusted. */
  readonly read: (json: unknown) => T;
  /** Makes one document of two, which a crash has left behind. */
  readonly merge: (one: T, other: T) => T;
}

/** What reading and writing documents takes. */
export interface DocumentAccess {
  readonly channels: Channels;
  readonly locks: Locks;
  readonly publisher: QueuePublisher;
  readonly declareQueue: (queue: string) => Promise<void>;
}

/**
 * A JSON document that all programs of a namespace share: the one message of a queue. Whoever has taken the message may
 * change the document. The new message is stored and confirmed before the old one is acknowledged, so that a crash
 * leaves one or both, and never none.
 *
 * A reader takes the message and gives it back, which changes nothing. Its queue permits a million returns, where the
 * default of RabbitMQ 4 destroys a message at the 21st; each change starts the count again, and readers that have counted it
 * up to a tenth of that make one.
 */
export class SharedDocument<T> {
  readonly #queue: string;
  readonly #kind: DocumentKind<T>;
  readonly #channels: Channels;
  readonly #locks: Locks;
  readonly #publisher: QueuePublisher;
  readonly #declareQueue: () => Promise<void>;
  #reading: Promise<T> | undefined;
  #nextReading: Promise<T> | undefined;
  #acknowledging: Promise<unknown> = Promise.resolve();

  constructor(queue: string, kind: DocumentKind<T>, { channels, locks, publisher, declareQueue }: DocumentAccess) {
    this.#queue = queue;
    this.#kind = kind;
    this.#channels = channels;
    this.#locks = locks;
    this.#publisher = publisher;
    this.#declareQueue = () => declareQueue(queue);
  }

  /** Reads the document by a look that begins after this call; calls meanwhile share one. @throws PapaError */
  read(): Promise<T> {
    if (this.#reading === undefined) return this.#beginReading();
    this.#nextReading ??= this.#reading.then(
      () => this.#beginReading(),
      () => this.#beginReading(),
    );
    return this.#nextReading;
  }

  /**
   * Changes the document, and resolves to what it is then. It is left as it is where `change` returns what it was given.
   *
   * @param whileHeld runs before the change is stored, and before anybody else can read or change the document
   * @throws PapaError
   */
  async change(change: (document: T) => T, whileHeld: () => Promise<void> = async () => {}): Promise<T> {
    this.#publisher.assertWritable();
    const changed = await this.#tryChange(change, whileHeld);
    if (changed !== undefined) return changed.document;
    // One creates it: a quorum queue that two declare at once refuses messages for a moment.
    return this.#locks.hold(this.#queue, async () => {
      const meanwhile = await this.#tryChange(change, whileHeld);
      return meanwhile === undefined ? this.#create(change, whileHeld) : meanwhile.document;
    });
  }

  /** Resolves when the messages that changes have replaced are acknowledged. Never rejects. */
  async idle(): Promise<void> {
    await this.#acknowledging;
  }

  /** Resolves to `undefined` if there is no queue. */
  #tryChange(
    change: (document: T) => T,
    whileHeld: () => Promise<void>,
  ): Promise<{ readonly document: T } | undefined> {
    return new Promise((resolve, reject) => {
      const changing = this.#channels.withChannel(async (channel) => {
        // If nobody had it for so long, it is gone: the document begins anew.
        const messages = await takeMessages(channel, this.#queue, MAX_CHANGE_WAIT_MS);
        if (messages === undefined) return resolve(undefined);
        const before = this.#documentIn(messages);
        const document = change(before);
        await whileHeld();
        // Closing the channel gives the message back.
        if (document === before && messages.length === 1) return resolve({ document });
        await this.#publish(document);
        // Nobody has to wait for the rest.
        resolve({ document });
        for (const message of messages) channel.ack(message);
        await flushAcknowledgements(channel, this.#queue);
      });
      changing.catch(reject);
      this.#acknowledging = Promise.allSettled([this.#acknowledging, changing]);
    });
  }

  async #create(change: (document: T) => T, whileHeld: () => Promise<void>): Promise<T> {
    const document = change(this.#kind.empty);
    await whileHeld();
    if (document === this.#kind.empty) return document;
    await this.#declareQueue();
    await this.#publish(document);
    return document;
  }

  #beginReading(): Promise<T> {
    this.#nextReading = undefined;
    const reading = this.#read().finally(() => {
      if (this.#reading === reading) this.#reading = undefined;
    });
    this.#reading = reading;
    return reading;
  }

  #read(): Promise<T> {
    return this.#channels.withChannel(async (channel) => {
      const messages = await takeMessages(channel, this.#queue, MAX_READ_WAIT_MS);
      if (messages === undefined) return this.#kind.empty;
      // Closing the channel would give them back too, a moment later.
      if (messages.length > 0) channel.nackAll(true);
      if (messages.some((message) => returnsOf(message) > MAX_RETURNS)) this.#renew();
      if (messages.length > 0) return this.#documentIn(messages);
      const text = `The message in "${this.#queue}" at ${this.#channels.address} could not be had for ${MAX_READ_WAIT_MS} ms.`;
      throw new PapaError("connection-failed", text, { transport: "amqp" }, { retryable: true });
    });
  }

  /** Stores the message anew, so that its returns are counted from 0. Not waited for, and left to the next look where it fails. */
  #renew(): void {
    this.change((document) => structuredClone(document)).catch(() => {});
  }

  #documentIn(messages: readonly Message[]): T {
    const { empty, merge } = this.#kind;
    const documents = messages.map((message) => this.#parse(message));
    return documents.reduce((one, other) => (one === empty ? other : merge(one, other)), empty);
  }

  #parse({ content }: Message): T {
    try {
      return this.#kind.read(JSON.parse(content.toString()));
    } catch {
      return this.#kind.empty;
    }
  }

  async #publish(document: T): Promise<void> {
    const body = Buffer.from(JSON.stringify(document));
    const properties = { persistent: true, contentType: "application/json" };
    const published = this.#publisher.publishOrDeclare({ queue: this.#queue, body, properties }, this.#declareQueue);
    await within(published, MAX_PUBLISH_MS, `"${this.#queue}" takes no message`);
  }
}

/** How often a quorum queue says that the message came back. */
function returnsOf({ properties }: Message): number {
  const count: unknown = properties.headers?.["x-delivery-count"];
  return typeof count === "number" ? count : 0;
}
