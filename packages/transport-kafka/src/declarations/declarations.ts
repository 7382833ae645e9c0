import type { Declaration, DeclarationRecord, Declarations as SharedDeclarations } from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import { papaErrorOf } from "../client/errors.ts";
import { literalWords, mayMatch, type Positions } from "./bindings.ts";
import type { Discovery } from "./discovery.ts";
import { endsOf } from "./ends.ts";
import type { Mappings } from "./mappings.ts";
import type { Registry } from "./registry.ts";
import { warnOfShortRetention } from "./retention.ts";
import { checkRights } from "./rights.ts";
import type { Topology } from "./topology.ts";

export interface DeclarationsOptions {
  readonly appName: string;
  readonly cluster: Cluster;
  readonly topology: Topology;
  readonly registry: Registry;
  readonly discovery: Discovery;
  readonly mappings: Mappings;
  /** Called once for a use case that this connection has declared and an operator has removed. */
  readonly onRemoved: (useCase: string) => void;
}

/** How often a first declaration is tried again that a removal has undone. */
const MAX_TRIES = 3;

type Patterns = Pick<Declaration, "name" | "patterns">;

/** Creates what use cases need, and records their patterns with the positions from which on they receive events. */
export class Declarations implements SharedDeclarations {
  readonly #options: DeclarationsOptions;
  #warned = false;
  /** What this connection has declared. */
  readonly #own = new Set<string>();
  /** Those of them that an operator has removed: they are not made anew from here (R9). */
  readonly #removed = new Set<string>();

  constructor(options: DeclarationsOptions) {
    this.#options = options;
    options.registry.onRemoved = (useCase) => {
      if (!this.#own.has(useCase) || this.#removed.has(useCase)) return;
      this.#removed.add(useCase);
      options.onRemoved(useCase);
    };
  }

  /** Makes the registry whole again after somebody has deleted it, and looks at what others map. Never rejects. */
  async restore(): Promise<void> {
    this.#options.mappings.check();
    if (this.#own.size === 0) return;
    const { registry, cluster } = this.#options;
    try {
      await registry.restore();
    } catch (error) {
      cluster.logger.debug({ err: error }, "The registry could not be written again; it is tried again.");
    }
  }

  isRemoved(useCase: string): boolean {
    return this.#removed.has(useCase);
  }

  /** @throws PapaError `topology-conflict`, `access-refused` */
  async declare(declarations: readonly Declaration[]): Promise<void> {
    const { cluster, registry } = this.#options;
    try {
      if (declarations.length === 0) return;
      await registry.refresh();
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        await this.#declare(declarations.filter(({ name }) => !this.#removed.has(name)));
        const undone = declarations.filter(
          ({ name, patterns }) => !this.#removed.has(name) && registry.unbound(name, patterns).length > 0,
        );
        if (undone.length === 0) break;
      }
      for (const { name } of declarations) this.#own.add(name);
    } catch (error) {
      throw papaErrorOf(error, cluster.address);
    }
  }

  /** @throws PapaError */
  async list(useCase?: string): Promise<readonly DeclarationRecord[]> {
    const { cluster, registry, mappings } = this.#options;
    try {
      await registry.refresh();
      mappings.check();
      return registry.list(useCase);
    } catch (error) {
      throw papaErrorOf(error, cluster.address);
    }
  }

  /** Removes those patterns that nobody has declared for `idle` milliseconds. @throws PapaError */
  async withdraw(useCase: string, patterns: readonly string[], idle: number): Promise<void> {
    const { cluster, registry } = this.#options;
    try {
      await registry.refresh();
      await registry.withdraw(useCase, patterns, idle);
    } catch (error) {
      throw papaErrorOf(error, cluster.address);
    }
  }

  async #declare(declarations: readonly Declaration[]): Promise<void> {
    const { appName, registry, mappings } = this.#options;
    if (declarations.length === 0) return;
    await this.#createTopics(declarations);
    await this.#checkRights(declarations.filter(({ name }) => !this.#own.has(name)));
    await registry.refresh();
    const present = declarations.filter(({ name }) => !this.#removed.has(name));
    const fresh = present
      .map(({ name, patterns }) => ({ name, patterns: registry.unbound(name, patterns) }))
      .filter(({ patterns }) => patterns.length > 0);
    if (fresh.length > 0) await this.#bind(fresh);
    if (!this.#warned) void this.#warn(declarations);
    await registry.markSeen(appName, present);
    await mappings.show();
  }

  async #checkRights(added: readonly Patterns[]): Promise<void> {
    if (added.length === 0) return;
    const { cluster, topology } = this.#options;
    const useCases = added.map(({ name }) => name);
    const mapped = this.#mappedTopics(added);
    for (const topic of mapped) cluster.assertNotRefused(topic);
    await checkRights(cluster, topology, useCases, [...this.#literalTopics(added), ...mapped]);
  }

  async #createTopics(useCases: readonly Patterns[]): Promise<void> {
    const { topology } = this.#options;
    await topology.ensure([
      topology.registry,
      topology.delays,
      ...useCases.flatMap(({ name }) => [topology.ready(name), topology.deadLetters(name)]),
      ...this.#literalTopics(useCases).map((topic) => topology.events(topic)),
    ]);
  }

  /** The ends of the partitions are read before the patterns are recorded, so that they receive what comes in between. */
  async #bind(fresh: readonly Patterns[]): Promise<void> {
    const { cluster, registry, discovery } = this.#options;
    const { topics } = registry;
    const existing = [...(await discovery.list()), ...topics.mapped].flatMap((topic) => {
      const held = topics.namesIn(topic)?.held;
      return held === undefined ? [] : [{ topic, held }];
    });
    const all = fresh.flatMap(({ patterns }) => patterns);
    const concerned = existing.filter(({ held }) => all.some((pattern) => mayMatch(pattern, held)));
    const ends = await endsOf(
      cluster,
      concerned.map(({ topic }) => topic),
    );
    for (const { name, patterns } of fresh) {
      const bound = patterns.map((pattern) => {
        const own = concerned.filter(({ held }) => mayMatch(pattern, held));
        const positions: Positions = Object.assign({}, ...own.map(({ topic }) => ends.get(topic)));
        return { pattern, positions };
      });
      await registry.bind(name, bound);
    }
  }

  async #warn(useCases: readonly Patterns[]): Promise<void> {
    this.#warned = true;
    const topics = [...this.#literalTopics(useCases), ...this.#mappedTopics(useCases)];
    await warnOfShortRetention(this.#options.cluster, topics);
  }

  /** The topics that the patterns name by their literal first words. */
  #literalTopics(useCases: readonly Patterns[]): string[] {
    const { names } = this.#options.cluster;
    return literalWords(useCases.flatMap(({ patterns }) => patterns)).map((word) => names.events(word));
  }

  /** The topics of others that the patterns concern. */
  #mappedTopics(useCases: readonly Patterns[]): string[] {
    const { topics } = this.#options.registry;
    const patterns = useCases.flatMap((each) => each.patterns);
    return topics.mapped.filter((topic) => {
      const names = topics.namesIn(topic);
      return names !== undefined && patterns.some((pattern) => mayMatch(pattern, names.held));
    });
  }
}
