import type { EncodedEvent, Unconfirmed } from "@papa-events/core/transport";
import type { Target } from "../client/options.ts";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import type { BindingCache, Bindings } from "../declarations/bindings.ts";
import { BINDINGS_CHANGED } from "../scripts/fragments/fan-out.ts";
import { publish } from "../scripts/publish.ts";
import type { Argument } from "../scripts/script.ts";
import type { Keys } from "../wire/keys.ts";
import { FanOut } from "./fan-out.ts";

const NONE: readonly Unconfirmed[] = [];
/** About how many entries one script adds. That many take the server some 3 ms, in which it serves nobody else. */
const MAX_ENTRIES_PER_SCRIPT = 1_024;
/** How long the server may wait for a replica. */
const REPLICA_TIMEOUT_MS = 5_000;

export interface PublisherOptions {
  readonly connection: ReconnectingConnection;
  readonly keys: Keys;
  readonly bindings: BindingCache;
  readonly durability: Target["durability"];
}

/** Stores events, each in the queues of all its use cases in one step. */
export class Publisher {
  readonly #options: PublisherOptions;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Resolves to the events that are not known to be stored. Never rejects. */
  async publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    const { connection, durability } = this.#options;
    let stored = 0;
    let problem: Error | undefined;
    try {
      if (!connection.up) throw connection.lostError();
      while (stored < events.length) stored = await this.#store(events, stored);
      problem = durability === "replicated" ? await this.#waitForReplica() : undefined;
    } catch (error) {
      problem = connection.toPapaError(error);
    }
    if (problem === undefined) return NONE;
    const error = problem;
    // With "replicated" no event is confirmed before a replica has all of them.
    const first = durability === "local" ? stored : 0;
    return events.slice(first).map((_, index) => ({ index: first + index, error }));
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

  /** Waits until a replica has what this connection has written. */
  async #waitForReplica(): Promise<Error | undefined> {
    const { connection } = this.#options;
    if ((await connection.client.wait(1, REPLICA_TIMEOUT_MS)) >= 1) return undefined;
    return connection.lostError(new Error(`No replica had the events within ${REPLICA_TIMEOUT_MS} ms.`));
  }
}
