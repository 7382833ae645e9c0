import {
  type Declaration,
  type DeclarationRecord,
  PatternTrie,
  type Declarations as Stored,
} from "@papa-events/core/transport";
import type { Names } from "../wire/names.ts";
import type { Registry } from "./registry.ts";
import type { Topology } from "./topology.ts";

/** Each use case takes a dozen calls, and a new queue takes the broker some 20 ms. */
const MAX_CONCURRENT_DECLARATIONS = 8;

/** What this app has declared on the broker. */
export class Declarations implements Stored {
  readonly #names: Names;
  readonly #topology: Topology;
  readonly #registry: Registry;
  readonly #declared = new Map<string, readonly string[]>();

  constructor(names: Names, topology: Topology, registry: Registry) {
    this.#names = names;
    this.#topology = topology;
    this.#registry = registry;
  }

  /** @throws PapaError `topology-conflict`, `access-refused`, `connection-failed` */
  async declare(useCases: readonly Declaration[]): Promise<void> {
    await this.#topology.declareExchanges();
    const left = [...useCases];
    const next = async () => {
      for (let each = left.shift(); each !== undefined; each = left.shift()) await this.#declare(each);
    };
    const workers = Math.min(MAX_CONCURRENT_DECLARATIONS, left.length);
    const results = await Promise.allSettled(Array.from({ length: workers }, next));
    const failed = results.find((each) => each.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  list(useCase: string): Promise<readonly DeclarationRecord[]>;
  list(useCase?: undefined): Promise<readonly DeclarationRecord[] | undefined>;
  async list(useCase?: string): Promise<readonly DeclarationRecord[] | undefined> {
    if (useCase === undefined) return undefined;
    const patterns = await this.#registry.patterns(useCase);
    return patterns.map(({ pattern, idle }) => ({ useCase, patterns: [pattern], idle }));
  }

  /** Declares a use case again, in case somebody has deleted its queues. */
  async redeclare(useCase: string): Promise<void> {
    const patterns = this.#declared.get(useCase);
    if (patterns === undefined) return;
    await this.#topology.declareExchanges();
    await this.#topology.declareQueues(useCase);
    await this.#topology.bind(useCase, patterns);
  }

  /** Declares all use cases again after a reconnect: the broker may have been set up anew. */
  async redeclareAll(): Promise<void> {
    const left = [...this.#declared.keys()];
    const next = async () => {
      for (let each = left.shift(); each !== undefined; each = left.shift()) await this.redeclare(each);
    };
    await Promise.all(Array.from({ length: Math.min(MAX_CONCURRENT_DECLARATIONS, left.length) }, next));
  }

  /** Unbinds those of the patterns that nobody has declared for at least `idle` milliseconds. */
  withdraw(useCase: string, patterns: readonly string[], idle: number): Promise<void> {
    const queue = this.#names.queue(useCase);
    return this.#registry.withdraw(useCase, patterns, idle, (stale) =>
      // The original's retries come back under the queue's own name, whatever patterns there are.
      this.#topology.unbind(
        useCase,
        stale.filter((pattern) => pattern !== queue),
      ),
    );
  }

  /** Whether any declaration of a use case matches an event name. */
  async accepts(useCase: string, eventName: string): Promise<boolean> {
    if (matches(this.#declared.get(useCase) ?? [], eventName)) return true;
    return matches(await this.#storedPatterns(useCase), eventName);
  }

  /** Names an event that has lost its name: after the use case's only literal pattern, else after the use case. */
  fallbackName(useCase: string): string {
    return onlyLiteral(this.#declared.get(useCase) ?? []) ?? useCase;
  }

  /** Does the same for a use case that another app may have declared. */
  async storedFallbackName(useCase: string): Promise<string> {
    const patterns = this.#declared.get(useCase) ?? (await this.#storedPatterns(useCase));
    return onlyLiteral(patterns) ?? useCase;
  }

  /** Records and binds under one lock, so that no other instance withdraws a pattern in between. */
  async #declare({ name, patterns }: Declaration): Promise<void> {
    await this.#topology.declareQueues(name);
    await this.#registry.declare(name, patterns, () => this.#topology.bind(name, patterns));
    this.#declared.set(name, patterns);
  }

  async #storedPatterns(useCase: string): Promise<readonly string[]> {
    return (await this.#registry.patterns(useCase)).map(({ pattern }) => pattern);
  }
}

function onlyLiteral(patterns: readonly string[]): string | undefined {
  const literals = patterns.filter((pattern) => !/[*#]/.test(pattern));
  return literals.length === 1 ? literals[0] : undefined;
}

function matches(patterns: readonly string[], eventName: string): boolean {
  const trie = new PatternTrie<true>();
  for (const pattern of patterns) trie.add(pattern, true);
  return trie.matches(eventName);
}
