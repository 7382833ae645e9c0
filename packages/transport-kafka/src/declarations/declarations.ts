import type { UseCaseDeclaration } from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import { papaErrorOf } from "../client/errors.ts";
import { firstWord, needsDiscovery } from "../wire/names.ts";
import { literalWords, type Positions } from "./bindings.ts";
import type { Discovery } from "./discovery.ts";
import type { Registry } from "./registry.ts";
import { warnOfShortRetention } from "./retention.ts";
import type { Topology } from "./topology.ts";

export interface DeclarationsOptions {
  readonly cluster: Cluster;
  readonly topology: Topology;
  readonly registry: Registry;
  readonly discovery: Discovery;
}

/** Creates what use cases need, and records their patterns with the positions from which on they receive events. */
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
      await this.#createTopics(useCases);
      await registry.refresh();
      const fresh = useCases
        .map(({ name, patterns }) => ({ name, patterns: registry.undeclared(name, patterns) }))
        .filter(({ patterns }) => patterns.length > 0);
      if (fresh.length > 0) await this.#declareNew(fresh);
      if (!this.#warned) void this.#warn(useCases);
      await registry.markSeen(useCases.map(({ name, patterns }) => ({ useCase: name, patterns })));
    } catch (error) {
      throw papaErrorOf(error, cluster.address);
    }
  }

  /** Removes those patterns that nobody has declared for `idle` milliseconds. @throws PapaError */
  async withdraw(useCase: string, patterns: readonly string[], idle: number): Promise<void> {
    const { cluster, registry } = this.#options;
    try {
      await registry.refresh();
      const stale = registry.patterns(useCase).filter((each) => patterns.includes(each.pattern) && each.idle >= idle);
      await registry.withdraw(
        useCase,
        stale.map(({ pattern }) => pattern),
      );
    } catch (error) {
      throw papaErrorOf(error, cluster.address);
    }
  }

  async #createTopics(useCases: readonly UseCaseDeclaration[]): Promise<void> {
    const { topology } = this.#options;
    await topology.ensure([
      topology.registry,
      topology.delays,
      ...useCases.flatMap(({ name }) => [topology.ready(name), topology.deadLetters(name)]),
      ...this.#literalTopics(useCases).map((topic) => topology.events(topic)),
    ]);
  }

  /** The ends of the partitions are read before the patterns are recorded, so that they receive what comes in between. */
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
    const all = [...known].flatMap(([topic, { partitions }]) =>
      partitions.map(({ partition }) => ({ topic, partition })),
    );
    const ends: Record<string, number[]> = {};
    for (const { topic, partition, offset } of await cluster.offsets(all, "latest"))
      (ends[topic] ??= [])[partition] = offset;
    return ends;
  }

  async #warn(useCases: readonly UseCaseDeclaration[]): Promise<void> {
    this.#warned = true;
    await warnOfShortRetention(this.#options.cluster, this.#literalTopics(useCases));
  }

  /** The topics that the patterns name by their literal first words. */
  #literalTopics(useCases: readonly UseCaseDeclaration[]): string[] {
    const { names } = this.#options.cluster;
    return literalWords(useCases.flatMap(({ patterns }) => patterns)).map((word) => names.events(word));
  }
}
