import type { EncodedEvent, Unconfirmed } from "@papa-events/core/transport";
import type { ConfirmChannel } from "amqplib";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { HeaderTables } from "../wire/header-tables.ts";
import { leanHeaders } from "../wire/lean-envelope.ts";
import { asBuffer, propertiesOf } from "../wire/properties.ts";
import { PublishChannel } from "./publish-channel.ts";

const NONE: readonly Unconfirmed[] = [];

/**
 * Publishes events to the topic exchange with confirms. Events that a lost channel leaves unconfirmed have an unknown
 * outcome: they are reported as not stored, and sent again with the same id.
 */
export class Publisher {
  readonly #exchange: string;
  readonly #channel: PublishChannel;
  readonly #headerTables = new HeaderTables();

  readonly #cloudEvents: boolean;

  /**
   * @param ensureExchange called before each opening of the channel
   * @param cloudEvents whether events carry the attributes of CloudEvents
   */
  constructor(
    connection: ReconnectingConnection,
    exchange: string,
    ensureExchange: () => Promise<void>,
    cloudEvents: boolean,
  ) {
    this.#exchange = exchange;
    this.#cloudEvents = cloudEvents;
    this.#channel = new PublishChannel(connection, exchange, ensureExchange);
  }

  /** Publishes to every use case that accepts the events; see `Connection.publish`. Never rejects. */
  async publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    const blocked = this.#channel.blocked;
    if (blocked !== undefined) return events.map((_, index) => ({ index, error: blocked }));
    let channel = this.#channel.current;
    try {
      channel ??= await this.#channel.open();
    } catch (error) {
      return events.map((_, index) => ({ index, error: error as Error }));
    }
    return this.#send(channel, events);
  }

  #send(channel: ConfirmChannel, events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    return new Promise((resolve) => {
      let pending = events.length;
      let unconfirmed: Unconfirmed[] | undefined;
      const settle = (index: number, error: Error | null) => {
        if (error !== null) (unconfirmed ??= []).push({ index, error });
        pending -= 1;
        if (pending === 0) resolve(unconfirmed ?? NONE);
      };
      for (let index = 0; index < events.length; index += 1) {
        const event = events[index];
        if (event === undefined) continue;
        const body = asBuffer(event.body);
        const headers = leanHeaders(event, this.#cloudEvents);
        const properties = propertiesOf(event, this.#headerTables.fill(headers));
        try {
          channel.publish(this.#exchange, event.name, body, properties, (error: Error | null) =>
            settle(index, error === null ? null : this.#channel.reasonOf(error, body.length)),
          );
        } catch (error) {
          settle(index, this.#channel.unsendable(error, event.headers));
        }
      }
      if (events.length === 0) resolve(NONE);
    });
  }
}
