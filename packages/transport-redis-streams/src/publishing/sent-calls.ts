import { randomUUID } from "node:crypto";
import type { EncodedEvent } from "@papa-events/core/transport";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { within } from "../client/time-limit.ts";
import { findCalls } from "../scripts/find-calls.ts";
import type { Argument } from "../scripts/script.ts";
import type { Keys } from "../wire/keys.ts";

/** How many calls the server keeps notes of: several times as many as are in flight at once. */
const SLOTS = 32;
/** How long the notes of a publisher are kept that says nothing more. */
const KEEP_MS = 600_000;
const REFRESH_INTERVAL_MS = 60_000;
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * The calls of one publisher, of which the server keeps notes. When replies are lost with a connection, it is asked which
 * calls it has carried out, so that their events are not stored twice (P2). A note is one write per call, not per event.
 */
export class SentCalls {
  readonly key: string;
  readonly #connection: ReconnectingConnection;
  #number = 0;
  #refreshed = Number.NEGATIVE_INFINITY;
  #anyLost = false;
  /** Event -> the call that may have stored it. */
  readonly #unsure = new WeakMap<EncodedEvent, number>();

  constructor(connection: ReconnectingConnection, keys: Keys) {
    this.#connection = connection;
    this.key = keys.calls(randomUUID());
  }

  /** Whether there was ever reason to ask. */
  get anyLost(): boolean {
    return this.#anyLost;
  }

  /** The number of the next call. */
  next(): number {
    this.#number += 1;
    return this.#number;
  }

  /** What the script takes of a call: its slot, its number, and now and then how long to keep the notes. */
  noteOf(number: number): readonly Argument[] {
    const now = performance.now();
    const refreshes = now - this.#refreshed > REFRESH_INTERVAL_MS;
    if (refreshes) this.#refreshed = now;
    return [number % SLOTS, number, refreshes ? KEEP_MS : ""];
  }

  onReplyLost(number: number, events: readonly EncodedEvent[]): void {
    this.#refreshed = Number.NEGATIVE_INFINITY;
    this.remember(number, events);
  }

  /** To be called for events that may be sent again although this call may have stored them, or has. */
  remember(number: number, events: readonly EncodedEvent[]): void {
    this.#anyLost = true;
    for (const event of events) this.#unsure.set(event, number);
  }

  /** Those of the events that are not stored, as far as the server has noted. Asks it only where there is reason to. */
  async missing(events: readonly EncodedEvent[]): Promise<readonly EncodedEvent[]> {
    const numbers = new Set(events.flatMap((event) => this.#unsure.get(event) ?? []));
    if (numbers.size === 0) return events;
    const args = [KEEP_MS, ...[...numbers].flatMap((number) => [number % SLOTS, number])];
    const found = new Set((await this.#connection.run(findCalls, [this.key], args)) as number[]);
    const missing = events.filter((event) => !found.has(this.#unsure.get(event) ?? 0));
    for (const event of missing) this.#unsure.delete(event);
    return missing;
  }

  /** Removes the notes, best effort: they expire. */
  async close(): Promise<void> {
    if (this.#number === 0 || !this.#connection.up) return;
    await within(this.#connection.client.unlink(this.key), CLOSE_TIMEOUT_MS, "it takes too long").catch(() => {});
  }
}
