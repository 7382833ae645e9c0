import type { EncodedEvent, Unconfirmed } from "@papa-events/core/transport";
import type { ConfirmChannel } from "amqplib";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { HeaderTables } from "../wire/header-tables.ts";
import { leanHeaders } from "../wire/lean-envelope.ts";
import { asBuffer, propertiesOf } from "../wire/properties.ts";
import { PublishChannel } from "./publish-channel.ts";
import { isRefusal } from "./refusal.ts";
import { RefusedEvents, type RefusedEventsOptions } from "./refused-events.ts";

export interface PublisherOptions extends RefusedEventsOptions {
  readonly exchange: string;
  /** Called before each opening of the channel. */
  readonly ensureExchange: () => Promise<void>;
  /** Whether events carry the attributes of CloudEvents. */
  readonly cloudEvents: boolean;
}

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
  readonly #refused: RefusedEvents;

  constructor(connection: ReconnectingConnection, options: PublisherOptions) {
    const { exchange, ensureExchange, cloudEvents } = options;
    this.#exchange = exchange;
    this.#cloudEvents = cloudEvents;
    this.#refused = new RefusedEvents(options);
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
    if (this.#refused.any && events.some((event) => this.#refused.has(event))) return this.#sendApart(channel, events);
    return this.#send(channel, events);
  }

  /** Sends what a queue has refused before to each queue by itself, and the rest as always. */
  async #sendApart(channel: ConfirmChannel, events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    const unconfirmed: Unconfirmed[] = [];
    const byExchange: number[] = [];
    const send = async (event: EncodedEvent, index: number) => {
      const sent = this.#refused.has(event)
        ? await this.#refused.send(event).catch((error: Error) => error)
        : "unknown";
      if (sent === "unknown") byExchange.push(index);
      else if (sent !== "stored") unconfirmed.push({ index, error: sent });
    };
    await Promise.all(events.map(send));
    const left = byExchange.sort((a, b) => a - b).flatMap((index) => ({ index, event: events[index] }));
    const failed = await this.#send(
      channel,
      left.flatMap(({ event }) => event ?? []),
    );
    for (const { index, error } of failed) unconfirmed.push({ index: left[index]?.index ?? 0, error });
    const lost = new Set(failed.map(({ index }) => index));
    for (const [index, { event }] of left.entries())
      if (event !== undefined && !lost.has(index)) this.#refused.sent(event, undefined);
    return unconfirmed;
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
            settle(index, error === null ? null : this.#reasonOf(event, error)),
          );
        } catch (error) {
          settle(index, this.#channel.unsendable(error, event.headers));
        }
      }
      if (events.length === 0) resolve(NONE);
    });
  }

  #reasonOf(event: EncodedEvent, error: Error): Error {
    const reason = this.#channel.reasonOf(error, event.body.length);
    if (isRefusal(reason)) this.#refused.sent(event, reason);
    return reason;
  }
}
