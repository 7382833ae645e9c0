import { PapaError } from "@papa-events/core";
import type { Options } from "amqplib";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { asBuffer } from "../wire/properties.ts";
import { PublishChannel } from "./publish-channel.ts";

/** How often a queue that is missing is declared again before that is reported. */
const MAX_TRIES = 3;

/** A message for exactly one queue. */
export interface QueueMessage {
  readonly queue: string;
  readonly body: Uint8Array;
  readonly properties: Options.Publish;
}

/** Publishes to single queues with confirms: retries, dead letters, declarations. */
export class QueuePublisher {
  readonly #connection: ReconnectingConnection;
  readonly #channel: PublishChannel;
  #sequence = 0;

  constructor(connection: ReconnectingConnection) {
    this.#connection = connection;
    this.#channel = new PublishChannel(connection, "the default exchange", async () => {});
  }

  /** @throws PapaError `connection-failed` while the broker blocks publishers */
  assertWritable(): void {
    const { blocked } = this.#channel;
    if (blocked !== undefined) throw blocked;
  }

  /**
   * Finds out whether this account may publish to queues, by a message to one that does not exist. Who may read a queue
   * may take from it too: AMQP has no right to look only.
   *
   * @throws PapaError `access-refused`, `connection-failed`
   */
  async assertAllowed(queue: string): Promise<void> {
    // A broker that takes nothing would not answer; what is there can be removed all the same.
    if (this.#channel.blocked !== undefined) return;
    await this.publish({ queue: `${queue}:none`, body: new Uint8Array(), properties: {} });
  }

  /**
   * Publishes to a queue, and resolves to whether there is such a queue. It is published as mandatory, since the broker
   * otherwise confirms even what it drops for want of a queue.
   *
   * @throws PapaError `connection-failed` and what the broker refuses it with
   */
  async publish({ queue, body, properties }: QueueMessage): Promise<boolean> {
    const channel = this.#channel.current ?? (await this.#channel.open());
    // A returned message carries its properties.
    const correlationId = properties.correlationId ?? `${++this.#sequence}`;
    await new Promise<void>((resolve, reject) => {
      const options = { ...properties, correlationId, mandatory: true };
      const settle = (error: Error | null) => {
        if (error === null) resolve();
        else reject(this.#channel.reasonOf(error, body.length, queue, queue));
      };
      try {
        channel.publish("", queue, asBuffer(body), options, settle);
      } catch (error) {
        reject(this.#channel.unsendable(error, properties.headers));
      }
    });
    return !this.#channel.takeReturned(correlationId);
  }

  /** Publishes to a queue, and has it declared again if it is missing. @throws PapaError as {@link publish} */
  async publishOrDeclare(message: QueueMessage, declare: () => Promise<void>): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      if (await this.publish(message)) return;
      await declare();
    }
    const { address } = this.#connection;
    const text = `The queue "${message.queue}" at ${address} is deleted again and again.`;
    throw new PapaError("connection-failed", text, { transport: "amqp", address }, { retryable: true });
  }
}
