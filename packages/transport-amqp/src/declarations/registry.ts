import type { GetMessage } from "amqplib";
import type { Channels } from "../client/channels.ts";
import type { Locks } from "../client/locks.ts";
import type { QueuePublisher } from "../publishing/queue-publisher.ts";
import { type Names, registryQueue } from "../wire/names.ts";
import type { Topology } from "./topology.ts";

/** What is known of a use case: the JSON in the one message of its registry queue. */
interface Entry {
  /** Each bound pattern, and how often instances have declared it. */
  readonly patterns: Readonly<Record<string, number>>;
  /** The delays that have a queue, in milliseconds. */
  readonly delays: readonly number[];
}

const EMPTY: Entry = { patterns: {}, delays: [] };

interface ShownPattern {
  readonly pattern: string;
  readonly idle: number;
}

/** When a pattern's count was last seen to grow, by this process's monotonic clock. */
interface LastSeen {
  readonly count: number;
  readonly at: number;
}

/**
 * Keeps in the broker what is bound to each use case, since AMQP cannot list bindings (R6).
 *
 * AMQP has no clock of the broker's, and no client's can be trusted. So each pattern carries a count that grows
 * whenever an instance declares it, and each reader measures for itself how long ago the count last grew.
 *
 * A change takes the message, publishes the new one, waits for its confirm, and only then acknowledges the old one. The
 * message is never returned, because RabbitMQ 4 destroys what is returned 20 times. A lock keeps two programs from
 * changing it at once.
 */
export class Registry {
  readonly #names: Names;
  readonly #channels: Channels;
  readonly #topology: Topology;
  readonly #locks: Locks;
  readonly #publisher: QueuePublisher;
  readonly #lastSeen = new Map<string, Map<string, LastSeen>>();

  constructor(names: Names, channels: Channels, topology: Topology, locks: Locks, publisher: QueuePublisher) {
    this.#names = names;
    this.#channels = channels;
    this.#topology = topology;
    this.#locks = locks;
    this.#publisher = publisher;
  }

  /** Records patterns as declared now. `then` runs before anybody else can change them. */
  async declare(useCase: string, patterns: readonly string[], then: () => Promise<void>): Promise<void> {
    await this.#topology.declareRegistryQueue(useCase);
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

  /** Lists the bound patterns of a use case, with how long ago each was last declared. */
  async patterns(useCase: string): Promise<readonly ShownPattern[]> {
    await this.#read(useCase);
    const now = performance.now();
    return [...(this.#lastSeen.get(useCase) ?? [])].map(([pattern, { at }]) => ({ pattern, idle: now - at }));
  }

  /** Forgets those of the patterns that nobody has declared for at least `idle` milliseconds; `then` receives them. */
  async withdraw(
    useCase: string,
    patterns: readonly string[],
    idle: number,
    then: (stale: readonly string[]) => Promise<void>,
  ): Promise<void> {
    let stale: readonly string[] = [];
    await this.#change(
      useCase,
      (entry) => {
        const now = performance.now();
        const lastSeen = this.#lastSeen.get(useCase);
        stale = patterns.filter((pattern) => now - (lastSeen?.get(pattern)?.at ?? now) >= idle);
        const kept = Object.entries(entry.patterns).filter(([pattern]) => !stale.includes(pattern));
        return { ...entry, patterns: Object.fromEntries(kept) };
      },
      () => then(stale),
    );
  }

  /** Records that a delay has a queue. */
  async addDelay(useCase: string, delay: number): Promise<void> {
    await this.#change(useCase, (entry) =>
      entry.delays.includes(delay) ? entry : { ...entry, delays: [...entry.delays, delay] },
    );
  }

  /** Lists the delays that have a queue. */
  async delays(useCase: string): Promise<readonly number[]> {
    return (await this.#read(useCase)).delays;
  }

  async #read(useCase: string): Promise<Entry> {
    const queue = registryQueue(this.#names.queue(useCase));
    if (!(await this.#channels.queueExists(queue))) return EMPTY;
    return this.#change(useCase, (entry) => entry);
  }

  #change(
    useCase: string,
    change: (entry: Entry) => Entry,
    then: () => Promise<void> = async () => {},
  ): Promise<Entry> {
    const queue = registryQueue(this.#names.queue(useCase));
    return this.#locks.hold(queue, () =>
      this.#channels.withChannel(async (channel) => {
        const message = await channel.get(queue);
        const before = message === false ? EMPTY : parse(message);
        this.#recordCounts(useCase, before);
        const entry = change(before);
        this.#recordCounts(useCase, entry);
        const body = Buffer.from(JSON.stringify(entry));
        const properties = { persistent: true, contentType: "application/json" };
        if (message !== false || entry !== EMPTY) await this.#publisher.publish({ queue, body, properties });
        if (message !== false) channel.ack(message);
        await then();
        return entry;
      }),
    );
  }

  #recordCounts(useCase: string, { patterns }: Entry): void {
    let lastSeen = this.#lastSeen.get(useCase);
    if (lastSeen === undefined) this.#lastSeen.set(useCase, (lastSeen = new Map()));
    const now = performance.now();
    for (const [pattern, count] of Object.entries(patterns)) {
      if (lastSeen.get(pattern)?.count !== count) lastSeen.set(pattern, { count, at: now });
    }
    for (const pattern of lastSeen.keys()) if (!Object.hasOwn(patterns, pattern)) lastSeen.delete(pattern);
  }
}

/** Trusts nothing in the message: anybody who may write to the broker may have written it. */
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
