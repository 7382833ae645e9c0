import { PapaError } from "@papa-events/core";
import type { EncodedEvent, Unconfirmed } from "@papa-events/core/transport";
import type { Target } from "../client/options.ts";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import type { BindingCache, Bindings } from "../declarations/bindings.ts";
import { BINDINGS_CHANGED } from "../scripts/fragments/fan-out.ts";
import { publish } from "../scripts/publish.ts";
import type { Argument } from "../scripts/script.ts";
import type { Keys } from "../wire/keys.ts";
import { FanOut } from "./fan-out.ts";
import { Replication } from "./replication.ts";

const NONE: readonly Unconfirmed[] = [];
/** About how many entries one script adds. That many take the server some 3 ms, in which it serves nobody else. */
const MAX_ENTRIES_PER_SCRIPT = 1_024;

export interface PublisherOptions {
  readonly connection: ReconnectingConnection;
  readonly keys: Keys;
  readonly bindings: BindingCache;
  readonly durability: Target["durability"];
}

/** Stores events, each in the queues of all its use cases in one step. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #replication: Replication | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#replication = options.durability === "replicated" ? new Replication(options.connection) : undefined;
  }

  /** Resolves to the events that are not known to be stored. Never rejects. */
  async publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    const { connection } = this.#options;
    let stored = 0;
    try {
      if (!connection.up) throw connection.lostError();
      if (this.#replication !== undefined) return await this.#publishReplicated(events, this.#replication);
      while (stored < events.length) stored = await this.#store(events, stored);
      return NONE;
    } catch (thrown) {
      const error = connection.toPapaError(thrown);
      return events.slice(stored).map((_, index) => ({ index: stored + index, error }));
    }
  }

  /** No event is confirmed before a replica has all of them. Those that wait for one are not stored again (P6). */
  async #publishReplicated(events: readonly EncodedEvent[], replication: Replication): Promise<readonly Unconfirmed[]> {
    const { connects, address } = this.#options.connection;
    const missing = replication.missing(events);
    for (let from = 0; from < missing.length; ) {
      const next = await this.#store(missing, from);
      replication.onStored(missing.slice(from, next), connects);
      from = next;
    }
    if (await replication.wait()) return NONE;
    const message = `The server at ${address} has the events, and no replica has them yet.`;
    const error = new PapaError(
      "connection-failed",
      message,
      { transport: "redis-streams", address },
      { retryable: true },
    );
    return events.map((_, index) => ({ index, error }));
  }

  /** Stores events from index `from` on, and resolves to the index of the first that is left. */
  async #store(events: readonly EncodedEvent[], from: number): Promise<number> {
    const { connection, bindings, keys } = this.#options;
    for (;;) {
      const current: Bindings = bindings.cached ?? (await bindings.get());
      const fanOut = new FanOut(keys.version);
      const args: Argument[] = [current.version];
      const next = fanOut.append(events, current, args, from, MAX_ENTRIES_PER_SCRIPT);
      if ((await connection.run(publish, fanOut.keys, args)) !== BINDINGS_CHANGED) return next;
      bindings.drop(current);
    }
  }
}
