import type { EncodedEvent } from "@papa-events/core/transport";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";

/** How long one `WAIT` may block the connection, and what is published meanwhile. */
const WAIT_TIMEOUT_MS = 2_000;

/**
 * Waits until a replica has what was written on one connection. It remembers which events are stored and not replicated
 * yet, so that those which are sent again are only waited for, and not stored again (P6).
 */
export class Replication {
  readonly #connection: ReconnectingConnection;
  /** Event -> the connect after which it was stored. `WAIT` knows nothing of what was written before a reconnect. */
  readonly #stored = new WeakMap<EncodedEvent, number>();
  #current: Promise<boolean> | undefined;
  #next: Promise<boolean> | undefined;

  constructor(connection: ReconnectingConnection) {
    this.#connection = connection;
  }

  /** Those of the events that still have to be stored. */
  missing(events: readonly EncodedEvent[]): readonly EncodedEvent[] {
    const { connects } = this.#connection;
    return events.filter((event) => this.#stored.get(event) !== connects);
  }

  /** To be called for events that were stored while the connection has been up, with its count of connects before that. */
  onStored(events: readonly EncodedEvent[], connects: number): void {
    for (const event of events) this.#stored.set(event, connects);
  }

  /** Resolves to whether a replica has all that was written before. Callers share a `WAIT` that begins after their call. */
  wait(): Promise<boolean> {
    if (this.#current === undefined) return this.#begin();
    const begin = () => this.#begin();
    this.#next ??= this.#current.then(begin, begin);
    return this.#next;
  }

  #begin(): Promise<boolean> {
    this.#next = undefined;
    const waiting = this.#wait().finally(() => {
      if (this.#current === waiting) this.#current = undefined;
    });
    this.#current = waiting;
    return waiting;
  }

  async #wait(): Promise<boolean> {
    return (await this.#connection.client.wait(1, WAIT_TIMEOUT_MS)) >= 1;
  }
}
