import type { ShownPattern } from "@papa-events/core/transport";
import type { GetMessage } from "amqplib";
import type { Locks } from "../client/locks.ts";
import type { Publisher } from "../publishing/publisher.ts";
import { type Names, registryQueue } from "../wire/names.ts";
import type { Topology } from "./topology.ts";

/** What is remembered of a use case, as JSON in the one message of its registry queue. */
interface Entry {
  /** Each bound pattern and how often it has been shown. */
  readonly patterns: Readonly<Record<string, number>>;
  /** The delays that there are queues for, in milliseconds. */
  readonly delays: readonly number[];
}

const EMPTY: Entry = { patterns: {}, delays: [] };

/** When a pattern's count was last seen to grow, by this process's monotonic clock. */
interface Sighting {
  readonly count: number;
  readonly at: number;
}

/**
 * Remembers in the broker what is bound to each use case, since AMQP cannot list bindings (R6).
 *
 * AMQP gives no clock of the broker's, and no client's is to be trusted: a pattern carries a count that grows each time
 * an instance shows it, and how long ago that was each reader measures for itself, from when it first looked.
 *
 * The message is taken, written anew, confirmed, and only then acknowledged; it is never returned, because RabbitMQ 4
 * destroys what is returned 20 times. A lock keeps two programs from doing so at once.
 */
export class Registry {
  readonly #names: Names;
  readonly #topology: Topology;
  readonly #locks: Locks;
  readonly #publisher: Publisher;
  readonly #sightings = new Map<string, Map<string, Sighting>>();

  constructor(names: Names, topology: Topology, locks: Locks, publisher: Publisher) {
    this.#names = names;
    this.#topology = topology;
    this.#locks = locks;
    this.#publisher = publisher;
  }

  /** Records patterns as shown now, then does what has to follow before anybody else changes them. */
  async show(useCase: string, patterns: readonly string[], then: () => Promise<void>): Promise<void> {
    await this.#topology.registry(useCase);
    await this.#change(
      useCase,
      (entry) => {
        const counts = { ...entry.patterns };
        for (const pattern of patterns) counts[pattern] = (counts[pattern] ?? 0) + 1;
        return { ...entry, patterns: counts };
      },
      then,
    );
  }

  async patterns(useCase: string): Promise<readonly ShownPattern[]> {
    await this.#read(useCase);
    const now = performance.now();
    return [...(this.#sightings.get(useCase) ?? [])].map(([pattern, { at }]) => ({ pattern, idle: now - at }));
  }

  /** Forgets those of the patterns that nobody was seen to show for so long; `then` gets them. */
  async withdraw(
    useCase: string,
    patterns: readonly string[],
    idle: number,
    then: (withdrawn: readonly string[]) => Promise<void>,
  ): Promise<void> {
    let withdrawn: readonly string[] = [];
    await this.#change(
      useCase,
      (entry) => {
        const now = performance.now();
        const seen = this.#sightings.get(useCase);
        withdrawn = patterns.filter((pattern) => now - (seen?.get(pattern)?.at ?? now) >= idle);
        const kept = Object.entries(entry.patterns).filter(([pattern]) => !withdrawn.includes(pattern));
        return { ...entry, patterns: Object.fromEntries(kept) };
      },
      () => then(withdrawn),
    );
  }

  /** Remembers that there is a queue for a delay. */
  async addDelay(useCase: string, delay: number): Promise<void> {
    await this.#change(useCase, (entry) =>
      entry.delays.includes(delay) ? entry : { ...entry, delays: [...entry.delays, delay] },
    );
  }

  async delays(useCase: string): Promise<readonly number[]> {
    return (await this.#read(useCase)).delays;
  }

  async #read(useCase: string): Promise<Entry> {
    const name = registryQueue(this.#names.queue(useCase));
    if (!(await this.#topology.exists(name))) return EMPTY;
    return this.#change(useCase, (entry) => entry);
  }

  #change(
    useCase: string,
    change: (entry: Entry) => Entry,
    then: () => Promise<void> = async () => {},
  ): Promise<Entry> {
    const name = registryQueue(this.#names.queue(useCase));
    return this.#locks.hold(name, () =>
      this.#topology.onChannel(async (channel) => {
        const message = await channel.get(name);
        const before = message === false ? EMPTY : parse(message);
        this.#see(useCase, before);
        const entry = change(before);
        this.#see(useCase, entry);
        const body = Buffer.from(JSON.stringify(entry));
        const properties = { persistent: true, contentType: "application/json" };
        if (message !== false || entry !== EMPTY)
          await this.#publisher.deliver({ exchange: "", routingKey: name, body, properties });
        if (message !== false) channel.ack(message);
        await then();
        return entry;
      }),
    );
  }

  #see(useCase: string, { patterns }: Entry): void {
    let seen = this.#sightings.get(useCase);
    if (seen === undefined) this.#sightings.set(useCase, (seen = new Map()));
    const now = performance.now();
    for (const [pattern, count] of Object.entries(patterns)) {
      if (seen.get(pattern)?.count !== count) seen.set(pattern, { count, at: now });
    }
    for (const pattern of seen.keys()) if (!Object.hasOwn(patterns, pattern)) seen.delete(pattern);
  }
}

/** Nothing in it is trusted: whoever may write to the broker may have written it. */
function parse(message: GetMessage): Entry {
  try {
    const { patterns, delays } = JSON.parse(message.content.toString()) as Record<string, unknown>;
    const counts = Object.entries(Object(patterns)).filter(
      (each): each is [string, number] => typeof each[1] === "number",
    );
    const numbers = Array.isArray(delays) ? delays.filter((each) => Number.isInteger(each)) : [];
    return { patterns: Object.fromEntries(counts), delays: numbers as number[] };
  } catch {
    return EMPTY;
  }
}
