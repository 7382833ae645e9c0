import { PapaError } from "@papa-events/core";
import type { ConfirmChannel, Message } from "amqplib";
import { codeOf, toPapaError } from "../client/errors.ts";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { MAX_TABLE_BYTES, tableSize } from "../wire/table-size.ts";
import { refusedByQueue } from "./refusal.ts";

/** A channel with confirms that is opened when it is needed, and again after it was lost. */
export class PublishChannel {
  readonly #connection: ReconnectingConnection;
  readonly #exchange: string;
  readonly #prepare: () => Promise<void>;
  readonly #onMissing: () => void;
  #channel: ConfirmChannel | undefined;
  #opening: Promise<ConfirmChannel> | undefined;
  /** Why the broker last closed the channel. */
  #closedBecause: Error | undefined;
  /** The correlation ids of mandatory messages that came back because no queue took them. */
  readonly #returned = new Set<string>();

  /**
   * @param exchange what is published to, for messages
   * @param prepare declares what is published to, before each opening: a missing exchange closes the channel
   * @param onMissing called when it does
   */
  constructor(
    connection: ReconnectingConnection,
    exchange: string,
    prepare: () => Promise<void>,
    onMissing: () => void = () => {},
  ) {
    this.#connection = connection;
    this.#exchange = exchange;
    this.#prepare = prepare;
    this.#onMissing = onMissing;
  }

  /** The channel, if it is open. */
  get current(): ConfirmChannel | undefined {
    return this.#channel;
  }

  /** Why nothing is to be sent, if so: the broker would not read it before its alarm is over. */
  get blocked(): PapaError | undefined {
    const { address, blocked } = this.#connection;
    if (blocked === undefined) return undefined;
    const message = `The broker at ${address} blocks publishers: ${blocked}.`;
    return new PapaError("connection-failed", message, { transport: "amqp", address }, { retryable: true });
  }

  /** Opens the channel; calls at the same time share one. @throws PapaError */
  open(): Promise<ConfirmChannel> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** Whether a mandatory message came back. The broker returns it before it confirms it. */
  takeReturned(correlationId: string): boolean {
    return this.#returned.delete(correlationId);
  }

  /**
   * Says why a message was not confirmed.
   *
   * @param key its routing key
   * @param queue the only queue that it was for
   */
  reasonOf(error: Error, bytes: number, key: string, queue?: string): Error {
    const { address } = this.#connection;
    // A queue that is full with reject-publish, or one without a leader just now.
    if (error.message === "message nacked") return refusedByQueue(address, queue, error);
    const reason = this.#closedBecause;
    if (reason === undefined) return this.#connection.lost(error);
    const limit = Number(/larger than configured max size (\d+)/.exec(reason.message)?.[1] ?? Number.NaN);
    if (bytes > limit) {
      const message = `The event has ${bytes} bytes, and the broker takes ${limit} (max_message_size).`;
      return new PapaError("payload-too-large", message, { eventName: "", bytes, limit }, { cause: reason });
    }
    // A right to some routing keys: it ends the channel for all that were on their way.
    const topic = /access to topic '([^']*)' in /.exec(reason.message)?.[1];
    if (codeOf(reason) === 403 && (topic === undefined || topic === key))
      return toPapaError(reason, { address, object: this.#exchange });
    return this.#connection.lost(reason);
  }

  /** Says why amqplib threw: the channel is closed, or it cannot encode the message. */
  unsendable(thrown: unknown, headers: Readonly<Record<string, unknown>> = {}): Error {
    const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
    if (cause.name === "IllegalOperationError" || this.#channel === undefined) return this.#connection.lost(cause);
    const bytes = cause instanceof RangeError ? tableSize(headers) : 0;
    if (bytes > MAX_TABLE_BYTES) {
      const message = `The event's headers have ${bytes} bytes on the wire, and amqplib sends ${MAX_TABLE_BYTES}.`;
      return new PapaError("headers-too-large", message, { bytes, limit: MAX_TABLE_BYTES }, { cause });
    }
    const problem = `amqplib cannot send it: ${cause.message}`;
    const message = `The event's headers do not fit into AMQP: ${problem}.`;
    return new PapaError("invalid-headers", message, { header: "", problem }, { cause });
  }

  async #open(): Promise<ConfirmChannel> {
    await this.#prepare();
    const channel = await this.#connection.confirmChannel();
    this.#closedBecause = undefined;
    this.#returned.clear();
    this.#channel = channel;
    channel.on("error", (error: Error) => {
      this.#closedBecause = error;
      if (codeOf(error) === 404) this.#onMissing();
    });
    channel.on("return", (message: Message) => this.#returned.add(String(message.properties.correlationId)));
    channel.on("close", () => {
      if (this.#channel === channel) this.#channel = undefined;
    });
    return channel;
  }
}
