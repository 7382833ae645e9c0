import type { EncodedEvent, Unconfirmed } from "@papa-events/core/transport";
import { isReply, papaErrorOf } from "../client/errors.ts";
import type { Link } from "../client/link.ts";
import type { Target } from "../client/options.ts";
import type { BindingCache, Bindings } from "../declarations/bindings.ts";
import { STALE } from "../scripts/fan-out.ts";
import { publish } from "../scripts/publish.ts";
import type { Argument } from "../scripts/script.ts";
import type { Keys } from "../wire/keys.ts";
import { FanOut } from "./fan-out.ts";

const NONE: readonly Unconfirmed[] = [];
/** About how many entries one script makes, of events that many use cases want: some 3 ms of the server, in which nobody else is served. */
const MOST_ENTRIES = 1_024;
/** How long the server may wait for a replica, in milliseconds. */
const REPLICA_LIMIT = 5_000;

export interface PublisherOptions {
  readonly link: () => Link;
  readonly keys: Keys;
  readonly bindings: BindingCache;
  readonly durability: Target["durability"];
}

/** Stores events, each in one step. */
export class Publisher {
  readonly #options: PublisherOptions;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    const link = this.#options.link();
    let stored = 0;
    let problem: Error | undefined;
    try {
      if (!link.up) throw link.lost();
      while (stored < events.length) stored = await this.#store(link, events, stored);
      problem = await this.#replicated(link);
    } catch (error) {
      problem = isReply(error) ? papaErrorOf(error, link.address) : link.lost(error);
    }
    if (problem === undefined) return NONE;
    const error = problem;
    // Who wants a replica to have the events is told of none before one has all.
    const first = this.#options.durability === "local" ? stored : 0;
    return events.slice(first).map((_, index) => ({ index: first + index, error }));
  }

  /** Stores events from index `from` on; resolves to the index of the first that is left. */
  async #store(link: Link, events: readonly EncodedEvent[], from: number): Promise<number> {
    const { bindings, keys } = this.#options;
    for (;;) {
      const known: Bindings = bindings.known ?? (await bindings.get());
      const fanOut = new FanOut(keys.version);
      const args: Argument[] = [known.version];
      const left = fanOut.append(events, known, args, from, MOST_ENTRIES);
      if ((await link.run(publish, fanOut.keys, args)) !== STALE) return left;
      bindings.drop(known);
    }
  }

  /** Waits until a replica has what this connection has written. */
  async #replicated(link: Link): Promise<Error | undefined> {
    if (this.#options.durability === "local") return undefined;
    const { client } = link;
    if ((await client.wait(1, REPLICA_LIMIT)) >= 1) return undefined;
    return link.lost(new Error(`No replica had the events within ${REPLICA_LIMIT} ms.`));
  }
}
