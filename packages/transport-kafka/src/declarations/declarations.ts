import type { UseCaseDeclaration } from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import { papaErrorOf } from "../client/errors.ts";
import type { Storage } from "../publishing/publisher.ts";
import { firstWord, needsDiscovery } from "../wire/names.ts";
import type { Discovery } from "./discovery.ts";
import type { Positions, Registry } from "./registry.ts";
import { warnOfLimits } from "./retention-warnings.ts";
import type { Topics } from "./topology.ts";

export interface DeclarationsOptions {
  readonly cluster: Cluster;
  readonly topics: Topics;
  readonly registry: Registry;
  readonly discovery: Discovery;
  readonly storage: Storage;
}

/** Makes what use cases need, and writes down from where on they want what. */
export class Declarations {
  readonly #options: DeclarationsOptions;
  #warned = false;

  constructor(options: DeclarationsOptions) {
    this.#options = options;
  }

  /** @throws PapaError `topology-conflict`, `access-refused` */
  async declare(useCases: readonly UseCaseDeclaration[]): Promise<void> {
    const { cluster, registry } = this.#options;
    try {
      if (useCases.length === 0) return;
      await this.#makeTopics(useCases);
      await registry.refresh();
      const fresh = useCases
        .map(({ name, patterns }) => ({ name, patterns: registry.undeclared(name, patterns) }))
        .filter(({ patterns }) => patterns.length > 0);
      if (fresh.length > 0) await this.#declareNew(fresh);
      if (!this.#warned) void this.#warn(useCases);
      await registry.show(useCases.map(({ name, patterns }) => ({ useCase: name, patterns })));
    } catch (error) {
      throw papaErrorOf(error, cluster.address);
    }
  }

  async #warn(useCases: readonly UseCaseDeclaration[]): Promise<void> {
    this.#warned = true;
    const { cluster } = this.#options;
    await warnOfLimits(
      cluster,
      this.#words(useCases).map((word) => cluster.names.events(word)),
    );
  }

  /** The first words that patterns name. */
  #words(useCases: readonly UseCaseDeclaration[]): string[] {
    return [
      ...new Set(useCases.flatMap(({ patterns }) => patterns.filter((each) => !needsDiscovery(each)).map(firstWord))),
    ];
  }

  async #makeTopics(useCases: readonly UseCaseDeclaration[]): Promise<void> {
    const { cluster, topics, registry, storage } = this.#options;
    await topics.ensure([
      registry.topic,
      storage.delays,
      ...useCases.flatMap(({ name }) => [storage.ready(name), storage.dead(name)]),
      ...this.#words(useCases).map((word) => topics.events(cluster.names.events(word))),
    ]);
  }

  /** The ends of the partitions are read before they are written down, so that what comes between is wanted. */
  async #declareNew(fresh: readonly UseCaseDeclaration[]): Promise<void> {
    const { cluster, registry, discovery } = this.#options;
    const existing = await discovery.list();
    const all = fresh.flatMap(({ patterns }) => patterns);
    const words = new Set(all.map(firstWord));
    const any = all.some(needsDiscovery);
    const named = [...existing].map((topic) => ({ topic, word: firstWord(cluster.names.eventName(topic) ?? "") }));
    const concerned = named.filter(({ word }) => any || words.has(word));
    const ends = await this.#ends(concerned.map(({ topic }) => topic));
    for (const { name, patterns } of fresh) {
      const declared = patterns.map((pattern) => {
        const own = concerned.filter(({ word }) => needsDiscovery(pattern) || word === firstWord(pattern));
        const positions = Object.fromEntries(own.map(({ topic }) => [topic, ends[topic] ?? []]));
        return { pattern, positions };
      });
      await registry.declare(name, declared);
    }
  }

  async #ends(topics: readonly string[]): Promise<Positions> {
    const { cluster } = this.#options;
    const known = await cluster.retried(() => cluster.topics(topics));
    const places = [...known].flatMap(([topic, { partitions }]) =>
      partitions.map(({ partition }) => ({ topic, partition })),
    );
    const ends: Record<string, number[]> = {};
    for (const { topic, partition, offset } of await cluster.offsets(places, "latest"))
      (ends[topic] ??= [])[partition] = offset;
    return ends;
  }

  /** Forgets those patterns that nobody has shown for `idle` milliseconds. @throws PapaError */
  async withdraw(useCase: string, patterns: readonly string[], idle: number): Promise<void> {
    const { cluster, registry } = this.#options;
    try {
      await registry.refresh();
      const unshown = registry.patterns(useCase).filter((each) => patterns.includes(each.pattern) && each.idle >= idle);
      await registry.withdraw(
        useCase,
        unshown.map(({ pattern }) => pattern),
      );
    } catch (error) {
      throw papaErrorOf(error, cluster.address);
    }
  }
}
