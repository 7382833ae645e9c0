import { PapaError } from "@papa-events/core";
import type { EncodedEvent, Unconfirmed } from "@papa-events/core/transport";
import { isReply, isTransient } from "../client/errors.ts";
import type { Target } from "../client/options.ts";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import type { BindingCache, Bindings } from "../declarations/bindings.ts";
import { BINDINGS_CHANGED } from "../scripts/fragments/fan-out.ts";
import { publish } from "../scripts/publish.ts";
import type { Argument } from "../scripts/script.ts";
import type { Keys } from "../wire/keys.ts";
import { FanOut, MAX_ENTRIES_PER_SCRIPT } from "./fan-out.ts";
import { Replication } from "./replication.ts";
import { SentCalls } from "./sent-calls.ts";

const NONE: readonly Unconfirmed[] = [];

export interface PublisherOptions {
  readonly connection: ReconnectingConnection;
  readonly keys: Keys;
  readonly bindings: BindingCache;
  readonly durability: Target["durability"];
}

/** Stores events, each in the queues of all its use cases in one step. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #calls: SentCalls;
  readonly #replication: Replication | undefined;

  constructor(options: PublisherOptions) {
    const { connection, keys, durability } = options;
    this.#options = options;
    this.#calls = new SentCalls(connection, keys);
    this.#replication = durability === "replicated" ? new Replication(connection) : undefined;
  }

  /** Resolves to the events that are not known to be stored. Never rejects. */
  async publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    const { connection } = this.#options;
    const replication = this.#replication;
    let left = events;
    try {
      if (!connection.up) throw connection.lostError();
      const { connects } = connection;
      if (this.#calls.anyLost) left = await this.#calls.missing(events);
      if (replication !== undefined) {
        const stored = left === events ? [] : events.filter((event) => !left.includes(event));
        replication.onStored(stored, connects);
        left = replication.missing(left);
      }
      while (left.length > 0) {
        const next = await this.#store(left);
        replication?.onStored(left.slice(0, next), connects);
        left = next === left.length ? [] : left.slice(next);
      }
      if (replication === undefined || (await replication.wait())) return NONE;
      throw this.#notReplicated();
    } catch (thrown) {
      // With "replicated" no event is confirmed before a replica has all of them.
      const unconfirmed = replication === undefined ? left : events;
      const errors =
        unconfirmed.length > 1 && !isTransient(thrown)
          ? await this.#publishHalves(unconfirmed)
          : new Map(unconfirmed.map((event) => [event, connection.toPapaError(thrown)]));
      return events.flatMap((event, index) => {
        const error = errors.get(event);
        return error === undefined ? [] : { index, error };
      });
    }
  }

  /** Removes what the server keeps for this publisher. */
  close(): Promise<void> {
    return this.#calls.close();
  }

  /** The server refuses one of these events for good, and that is to harm no other (H8). Gives the errors of those that are. */
  async #publishHalves(events: readonly EncodedEvent[]): Promise<ReadonlyMap<EncodedEvent, Error>> {
    const middle = Math.ceil(events.length / 2);
    const errors = new Map<EncodedEvent, Error>();
    for (const half of [events.slice(0, middle), events.slice(middle)]) {
      for (const { index, error } of await this.publish(half)) {
        const event = half[index];
        if (event !== undefined) errors.set(event, error);
      }
    }
    return errors;
  }

  /** Stores the first of these events, as many as one script takes, and resolves to how many. */
  async #store(events: readonly EncodedEvent[]): Promise<number> {
    const { connection, bindings, keys } = this.#options;
    for (;;) {
      const current: Bindings = bindings.cached ?? (await bindings.get());
      const number = this.#calls.next();
      const fanOut = new FanOut(keys.version, this.#calls.key);
      const args: Argument[] = [current.version, ...this.#calls.noteOf(number)];
      const next = fanOut.append(events, current, args, 0, MAX_ENTRIES_PER_SCRIPT);
      try {
        if ((await connection.run(publish, fanOut.keys, args)) !== BINDINGS_CHANGED) {
          // They are sent again if no replica has them in time, on this connection or another.
          if (this.#replication !== undefined) this.#calls.remember(number, events.slice(0, next));
          return next;
        }
      } catch (error) {
        if (!isReply(error)) this.#calls.onReplyLost(number, events.slice(0, next));
        throw error;
      }
      bindings.drop(current);
    }
  }

  #notReplicated(): PapaError {
    const { address } = this.#options.connection;
    const message = `The server at ${address} has the events, and no replica has them yet.`;
    return new PapaError("connection-failed", message, { transport: "redis-streams", address }, { retryable: true });
  }
}
