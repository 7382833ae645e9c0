import { PapaError } from "@papa-events/core";
import type { EncodedEvent, Unconfirmed } from "@papa-events/core/transport";
import type { ConfirmChannel, Message, Options } from "amqplib";
import { codeOf, papaErrorOf } from "../client/errors.ts";
import type { Link } from "../client/reconnecting-connection.ts";
import { HeaderTables } from "../wire/header-tables.ts";
import { asBuffer, propertiesOf } from "../wire/properties.ts";

const NONE: readonly Unconfirmed[] = [];

/** A message that has to reach a queue. */
export interface MandatoryMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Uint8Array;
  readonly properties: Options.Publish;
}

/**
 * Publishes with confirms on a channel of its own. What a lost channel leaves unconfirmed has an unknown outcome: it is
 * reported as not stored, and sent again with the same id.
 */
export class Publisher {
  readonly #link: Link;
  readonly #exchange: string;
  readonly #prepare: () => Promise<void>;
  #channel: ConfirmChannel | undefined;
  #opening: Promise<ConfirmChannel> | undefined;
  /** Why the channel was last closed by the broker. */
  #closedBecause: Error | undefined;
  /** Messages that came back because no queue took them, by their correlation id. */
  readonly #returned = new Set<string>();
  #sequence = 0;
  readonly #tables = new HeaderTables();

  /** @param prepare makes what is published to; called before each opening of the channel, which a missing exchange closes */
  constructor(link: Link, exchange: string, prepare: () => Promise<void>) {
    this.#link = link;
    this.#exchange = exchange;
    this.#prepare = prepare;
  }

  /** Publishes to whoever wants it; see `Connection.publish`. */
  async publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    let channel = this.#channel;
    try {
      channel ??= await this.#open();
    } catch (error) {
      return events.map((_, index) => ({ index, error: error as Error }));
    }
    return this.#send(channel, events);
  }

  /**
   * Publishes to exactly one queue, and resolves to whether there is one: the broker confirms also what it throws away
   * because a queue is missing, unless it is told that the message is mandatory.
   *
   * @throws PapaError `connection-failed` and what the broker refuses it with
   */
  async deliver(message: MandatoryMessage): Promise<boolean> {
    const channel = this.#channel ?? (await this.#open());
    const { exchange, routingKey, body, properties } = message;
    // A return carries the properties of what is returned, and comes before its confirm.
    const correlationId = properties.correlationId ?? `${++this.#sequence}`;
    await new Promise<void>((resolve, reject) => {
      const options = { ...properties, correlationId, mandatory: true };
      const settle = (error: Error | null) => {
        if (error === null) resolve();
        else reject(this.#reasonOf(error, body.length));
      };
      try {
        channel.publish(exchange, routingKey, asBuffer(body), options, settle);
      } catch (error) {
        reject(this.#unsendable(error));
      }
    });
    return !this.#returned.delete(correlationId);
  }

  #send(channel: ConfirmChannel, events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    return new Promise((resolve) => {
      let open = events.length;
      let unconfirmed: Unconfirmed[] | undefined;
      const settle = (index: number, error: Error | null) => {
        if (error !== null) (unconfirmed ??= []).push({ index, error });
        open -= 1;
        if (open === 0) resolve(unconfirmed ?? NONE);
      };
      for (let index = 0; index < events.length; index += 1) {
        const event = events[index];
        if (event === undefined) continue;
        const body = asBuffer(event.body);
        const properties = propertiesOf(event, this.#tables.lend(event.headers));
        try {
          channel.publish(this.#exchange, event.name, body, properties, (error: Error | null) =>
            settle(index, error === null ? null : this.#reasonOf(error, body.length)),
          );
        } catch (error) {
          settle(index, this.#unsendable(error));
        }
      }
      if (events.length === 0) resolve(NONE);
    });
  }

  #open(): Promise<ConfirmChannel> {
    this.#opening ??= this.#openChannel().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openChannel(): Promise<ConfirmChannel> {
    await this.#prepare();
    const channel = await this.#link.confirmChannel();
    this.#closedBecause = undefined;
    this.#returned.clear();
    this.#channel = channel;
    channel.on("error", (error: Error) => {
      this.#closedBecause = error;
    });
    channel.on("return", (message: Message) => this.#returned.add(String(message.properties.correlationId)));
    channel.on("close", () => {
      if (this.#channel === channel) this.#channel = undefined;
    });
    return channel;
  }

  /** Why a message was not confirmed. */
  #reasonOf(error: Error, bytes: number): Error {
    if (error.message === "message nacked") {
      // A queue that is full with reject-publish, or one without a leader just now.
      return new PapaError(
        "connection-failed",
        `The broker at ${this.#link.address} did not take the event; a queue is full or has no leader.`,
        { transport: "amqp", address: this.#link.address },
        { retryable: true, cause: error },
      );
    }
    const reason = this.#closedBecause;
    if (reason === undefined) return this.#link.lost(error);
    const limit = Number(/larger than configured max size (\d+)/.exec(reason.message)?.[1] ?? Number.NaN);
    if (bytes > limit) {
      const message = `The event has ${bytes} bytes, and the broker takes ${limit} (max_message_size).`;
      return new PapaError("payload-too-large", message, { eventName: "", bytes, limit }, { cause: reason });
    }
    if (codeOf(reason) === 403) return papaErrorOf(reason, { address: this.#link.address, object: this.#exchange });
    return this.#link.lost(reason);
  }

  /** amqplib throws on a channel that is closed, and on what it cannot encode. */
  #unsendable(thrown: unknown): Error {
    const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
    if (cause.name === "IllegalOperationError" || this.#channel === undefined) return this.#link.lost(cause);
    const problem = `amqplib cannot send it: ${cause.message}`;
    const message = `The event's headers do not fit into AMQP: ${problem}.`;
    return new PapaError("invalid-headers", message, { header: "", problem }, { cause });
  }
}
