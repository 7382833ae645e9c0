import type { EncodedEvent, Unconfirmed } from "@papa-events/core/transport";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { HeaderTables } from "../wire/header-tables.ts";
import { leanHeaders } from "../wire/lean-envelope.ts";
import { asBuffer, propertiesOf } from "../wire/properties.ts";
import { ParallelChannels } from "./parallel-channels.ts";
import { PublishChannel } from "./publish-channel.ts";
import { isRefusal } from "./refusal.ts";
import { RefusedEvents, type RefusedEventsOptions } from "./refused-events.ts";

/** The exchange that events are published to. */
export interface PublishedExchange {
  readonly name: string;
  /** Called before each opening of a channel. */
  ensure(): Promise<void>;
  /** Resolves when it has all its bindings; `undefined` if nothing is known to be wrong with it. */
  whole(): Promise<void> | undefined;
  /** To be called when the broker says that there is none. */
  isMissing(): void;
}

export interface PublisherOptions extends RefusedEventsOptions {
  readonly exchange: PublishedExchange;
  /** Whether events carry the attributes of CloudEvents. */
  readonly cloudEvents: boolean;
}

/** An event and its place in the call that gave it. */
interface IndexedEvent {
  readonly event: EncodedEvent;
  readonly index: number;
}

const NONE: readonly Unconfirmed[] = [];

/**
 * Publishes events to the topic exchange with confirms. Events that a lost channel leaves unconfirmed have an unknown
 * outcome: they are reported as not stored, and sent again with the same id.
 */
export class Publisher {
  readonly #exchange: PublishedExchange;
  readonly #channels: ParallelChannels;
  readonly #headerTables = new HeaderTables();

  readonly #cloudEvents: boolean;
  readonly #refused: RefusedEvents;

  constructor(connection: ReconnectingConnection, options: PublisherOptions) {
    const { exchange, cloudEvents } = options;
    this.#exchange = exchange;
    this.#cloudEvents = cloudEvents;
    this.#refused = new RefusedEvents(options);
    const prepare = () => exchange.ensure();
    const onMissing = () => exchange.isMissing();
    this.#channels = new ParallelChannels(() => new PublishChannel(connection, exchange.name, prepare, onMissing));
  }

  /** Publishes to every use case that accepts the events; see `Connection.publish`. Never rejects. */
  async publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    const counted = this.#channels.choose();
    counted.calls += 1;
    const unconfirmed = await this.#publishOn(counted.channel, events);
    counted.calls -= 1;
    return unconfirmed;
  }

  async #publishOn(on: PublishChannel, events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    const { blocked } = on;
    if (blocked !== undefined) return events.map((_, index) => ({ index, error: blocked }));
    try {
      if (on.current === undefined) await on.open();
      // The other channel may have found that it is missing: made anew it confirms, without its bindings, what reaches nobody.
      const whole = this.#exchange.whole();
      if (whole !== undefined) await whole;
    } catch (error) {
      return events.map((_, index) => ({ index, error: error as Error }));
    }
    if (this.#refused.any && events.some((event) => this.#refused.has(event))) return this.#sendApart(on, events);
    return this.#send(on, events);
  }

  /** Sends what a queue has refused before to each queue by itself, and the rest as always; neither waits for the other. */
  async #sendApart(on: PublishChannel, events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    const all = events.map((event, index) => ({ event, index }));
    const refused = all.filter(({ event }) => this.#refused.has(event));
    const others = all.filter(({ event }) => !this.#refused.has(event));
    const answers = await Promise.all([
      this.#sendSome(on, others),
      ...refused.map((each) => this.#sendRefused(on, each)),
    ]);
    return answers.flat();
  }

  async #sendRefused(on: PublishChannel, each: IndexedEvent): Promise<readonly Unconfirmed[]> {
    const { event, index } = each;
    const sent = await this.#refused.send(event).catch((error: Error) => error);
    if (sent === "stored") return NONE;
    if (sent !== "unknown") return [{ index, error: sent }];
    const unconfirmed = await this.#sendSome(on, [each]);
    if (unconfirmed.length === 0) this.#refused.sent(event, undefined);
    return unconfirmed;
  }

  async #sendSome(on: PublishChannel, some: readonly IndexedEvent[]): Promise<readonly Unconfirmed[]> {
    const unconfirmed = await this.#send(
      on,
      some.map(({ event }) => event),
    );
    return unconfirmed.map(({ index, error }) => ({ index: some[index]?.index ?? 0, error }));
  }

  #send(on: PublishChannel, events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    const channel = on.current;
    const exchange = this.#exchange.name;
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
          // While something else was waited for it may have been closed.
          if (channel === undefined) throw new Error("the channel is closed");
          channel.publish(exchange, event.name, body, properties, (error: Error | null) =>
            settle(index, error === null ? null : this.#reasonOf(on, event, error)),
          );
        } catch (error) {
          settle(index, on.unsendable(error, event.headers));
        }
      }
      if (events.length === 0) resolve(NONE);
    });
  }

  #reasonOf(on: PublishChannel, event: EncodedEvent, error: Error): Error {
    const reason = on.reasonOf(error, event.body.length, event.name);
    if (isRefusal(reason)) this.#refused.sent(event, reason);
    return reason;
  }
}
