import { isPapaError } from "@papa-events/core";
import {
  type Declaration,
  type DeclarationRecord,
  type Logger,
  PatternTrie,
  type Declarations as SharedDeclarations,
} from "@papa-events/core/transport";
import { isConnectionLost, unknownUseCase } from "../client/errors.ts";
import { within } from "../client/time-limit.ts";
import { isWidened } from "../wire/binding-keys.ts";
import type { EarlierRegistry } from "./earlier-registry.ts";
import { EventExchange } from "./event-exchange.ts";
import { inParallel } from "./in-parallel.ts";
import type { Registry } from "./registry.ts";
import type { Declared } from "./registry-document.ts";
import type { Topology } from "./topology.ts";

/** How often a repeated declaration looks whether somebody has deleted anything; else it is only recorded. */
const MIN_FULL_INTERVAL_MS = 30_000;
/** How long it is waited to hear what operators have removed meanwhile; the next refresh tells it too. */
const MAX_REMOVALS_WAIT_MS = 2_000;

export interface DeclarationsOptions {
  readonly appName: string;
  readonly logger: Logger;
  readonly topology: Topology;
  readonly registry: Registry;
  readonly earlierRegistry: EarlierRegistry;
  /** Runs an idempotent action, and runs it again if a connection is lost under it. */
  readonly retryOnReconnect: <T>(action: () => Promise<T>) => Promise<T>;
  /** Called once for each use case of this app that an operator has removed. */
  readonly onRemoved: (useCase: string) => void;
}

/** What apps declare on the broker: queues, bindings and the record of them. */
export class Declarations implements SharedDeclarations {
  readonly #options: DeclarationsOptions;
  /** What this app has declared. */
  readonly #declared = new Map<string, readonly string[]>();
  /** Use cases that need no look at what the version before kept of them. */
  readonly #takenOver = new Set<string>();
  /** How often each use case had been removed when this app first declared it. */
  readonly #removals = new Map<string, number>();
  /** Use cases of this app that were removed since. */
  readonly #removed = new Set<string>();
  #declaredAt = Number.NEGATIVE_INFINITY;
  /** Whether this app has use cases, and so binds queues. */
  #binds = false;
  readonly exchange: EventExchange;

  constructor(options: DeclarationsOptions) {
    const { topology, registry, logger } = options;
    this.#options = options;
    this.exchange = new EventExchange({ topology, registry, logger, binds: () => this.#binds });
  }

  /** What this app declares, but for what was removed: the patterns of each use case. */
  get own(): ReadonlyMap<string, readonly string[]> {
    return this.#declared;
  }

  /** How many use cases this app has declared, at least 1. */
  get size(): number {
    return Math.max(1, this.#declared.size);
  }

  /** @throws PapaError `topology-conflict`, `access-refused`, `connection-failed` */
  declare(declarations: readonly Declaration[]): Promise<void> {
    return this.#options.retryOnReconnect(() => this.#declare(declarations));
  }

  list(useCase?: string): Promise<readonly DeclarationRecord[]> {
    return this.#options.retryOnReconnect(() => this.#options.registry.list(useCase));
  }

  /** Unbinds those of the patterns that nobody has declared for at least `idle` milliseconds. */
  withdraw(useCase: string, patterns: readonly string[], idle: number): Promise<void> {
    const { registry, topology } = this.#options;
    return registry.withdraw(useCase, patterns, idle, (stale, kept) => topology.unbind(useCase, stale, kept));
  }

  /**
   * Declares a use case again, in case somebody has deleted its queues: what this app declares of it, else what is recorded.
   *
   * @throws PapaError `unknown-use-case` if an operator has removed it
   */
  async redeclare(useCase: string): Promise<void> {
    if (await this.wasRemoved(useCase)) throw unknownUseCase(useCase);
    const own = this.#declared.get(useCase);
    const patterns = own ?? (await this.#recordedPatterns(useCase));
    if (own === undefined && patterns.length === 0) throw unknownUseCase(useCase);
    await this.exchange.ensure();
    await this.#declareQueues(useCase, patterns);
  }

  /** Whether an operator has removed a use case of this app, as far as that can be told just now. Never rejects. */
  async wasRemoved(useCase: string): Promise<boolean> {
    if (this.#declared.has(useCase)) await this.#lookForRemovals();
    return this.#removed.has(useCase);
  }

  /**
   * Declares all use cases of this app again after a reconnect: the broker may have been set up anew.
   *
   * @param onFailure receives what one use case could not be declared for; the others are declared all the same
   */
  async redeclareAll(onFailure: (useCase: string, error: unknown) => void): Promise<void> {
    if (this.#declared.size === 0) return;
    await this.#lookForRemovals();
    const exchange = await settled(this.exchange.ensure());
    await inParallel([...this.#declared], async ([useCase, patterns]) => {
      const queues = exchange ?? (await settled(this.#declareQueues(useCase, patterns)));
      if (queues !== undefined) onFailure(useCase, queues.error);
    });
  }

  /** Whether any declaration of a use case matches an event name. */
  async accepts(useCase: string, eventName: string): Promise<boolean> {
    if (matches(this.#declared.get(useCase) ?? [], eventName)) return true;
    return matches(await this.#recordedPatterns(useCase), eventName);
  }

  /** Lists the use cases any of whose patterns matches an event name. @throws PapaError `connection-failed` */
  async useCasesFor(eventName: string): Promise<readonly string[]> {
    const found = (await this.#options.registry.list()).filter(({ patterns }) => matches(patterns, eventName));
    return [...new Set(found.map(({ useCase }) => useCase))];
  }

  /** Whether a binding of a use case lets through what none of its patterns matches. */
  isWidened(useCase: string): boolean {
    return this.#declared.get(useCase)?.some(isWidened) ?? false;
  }

  /** Names an event that has lost its name: after the use case's only literal pattern, else after the use case. */
  fallbackName(useCase: string): string {
    return onlyLiteral(this.#declared.get(useCase) ?? []) ?? useCase;
  }

  /** Does the same for a use case that another app may have declared. */
  async recordedFallbackName(useCase: string): Promise<string> {
    return onlyLiteral(this.#declared.get(useCase) ?? (await this.#recordedPatterns(useCase))) ?? useCase;
  }

  async #declare(all: readonly Declaration[]): Promise<void> {
    const { topology, registry } = this.#options;
    this.#binds ||= all.length > 0;
    const now = performance.now();
    // The core repeats the very same.
    const repeats = all.every(({ name, patterns }) => this.#removed.has(name) || this.#declared.get(name) === patterns);
    const full = !repeats || now - this.#declaredAt >= MIN_FULL_INTERVAL_MS;
    if (full && this.#declared.size > 0) this.#noticeRemovals(await registry.removals());
    const declarations = this.#ofWhatIsNotRemoved(all);
    if (full) {
      await this.exchange.ensure();
      await inParallel(declarations, ({ name }) => topology.declareQueues(name));
    }
    // Recorded before it is bound: from then on no other instance unbinds the patterns.
    const added = await this.#record(declarations);
    const unbound = this.#ofWhatIsNotRemoved(full ? declarations : added);
    await inParallel(unbound, ({ name, patterns }) => topology.bind(name, patterns));
    const alive = this.#ofWhatIsNotRemoved(declarations);
    await inParallel(alive, ({ name }) => this.#takeOver(name));
    for (const { name, patterns } of alive) this.#declared.set(name, patterns);
    if (full) this.#declaredAt = now;
  }

  #ofWhatIsNotRemoved(declarations: readonly Declaration[]): readonly Declaration[] {
    return this.#removed.size === 0 ? declarations : declarations.filter(({ name }) => !this.#removed.has(name));
  }

  /** Resolves to the declarations that were not recorded before. */
  async #record(declarations: readonly Declaration[]): Promise<readonly Declaration[]> {
    const { appName, registry, logger } = this.#options;
    if (declarations.length === 0) return declarations;
    try {
      const { added, removals } = await registry.declare(appName, declarations, this.#removals);
      this.#noticeRemovals(removals);
      for (const { name } of declarations)
        if (!this.#removals.has(name)) this.#removals.set(name, removals.get(name) ?? 0);
      return added;
    } catch (error) {
      if (!isPapaError(error) || !error.retryable || isConnectionLost(error)) throw error;
      // A broker that takes no messages can be drained all the same (L7). Nor can anybody record a withdrawal meanwhile.
      logger.warn({ err: error }, "The declarations could not be recorded; it is tried again with the next refresh.");
      return declarations;
    }
  }

  /** Not for long: a broker that has just started may not have the registry yet, and consuming must not wait for that. */
  async #lookForRemovals(): Promise<void> {
    const reading = this.#options.registry.removals();
    const read = within(reading, MAX_REMOVALS_WAIT_MS, "the registry cannot be read yet");
    const removals = await read.catch(() => undefined);
    if (removals !== undefined) this.#noticeRemovals(removals);
  }

  #noticeRemovals(removals: ReadonlyMap<string, number>): void {
    for (const [useCase, known] of this.#removals) {
      if (this.#removed.has(useCase) || (removals.get(useCase) ?? 0) <= known) continue;
      this.#removed.add(useCase);
      this.#declared.delete(useCase);
      this.#options.onRemoved(useCase);
    }
  }

  async #declareQueues(useCase: string, patterns: readonly string[]): Promise<void> {
    const { topology } = this.#options;
    await topology.declareQueues(useCase);
    await topology.bind(useCase, patterns);
  }

  async #takeOver(useCase: string): Promise<void> {
    if (this.#takenOver.has(useCase)) return;
    const { appName, registry, earlierRegistry } = this.#options;
    const found = await earlierRegistry.takeOver(useCase, async ({ declared, delays }) => {
      const earlier: readonly Declared[] = declared.patterns.length === 0 ? [] : [declared];
      await registry.declare(appName, [], undefined, earlier);
      if (delays.length > 0) await registry.addDelays(useCase, delays);
    });
    if (!found) this.#takenOver.add(useCase);
  }

  async #recordedPatterns(useCase: string): Promise<readonly string[]> {
    const records = await this.#options.registry.list(useCase);
    return [...new Set(records.flatMap(({ patterns }) => patterns))];
  }
}

/** What an action rejects with, if it does. */
async function settled(action: Promise<void>): Promise<{ readonly error: unknown } | undefined> {
  const [result] = await Promise.allSettled([action]);
  return result.status === "rejected" ? { error: result.reason } : undefined;
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
