import type { Declaration, DeclarationRecord } from "@papa-events/core/transport";
import type { Names } from "../wire/names.ts";
import {
  type Declared,
  keyOf,
  type RegistryDocument,
  type Removal,
  registryKind,
  withDelay,
} from "./registry-document.ts";
import { type DocumentAccess, SharedDocument } from "./shared-document.ts";

/** A clock may be wrong by minutes. So what it says about longer times counts, and nothing else of what it says. */
const MIN_TRUSTED_IDLE_MS = 3_600_000;

/** When a declaration's count was last seen to grow, by this process's monotonic clock. */
interface LastSeen {
  readonly count: number;
  readonly at: number;
}

/** What came of recording declarations. */
export interface Recorded {
  /** Those of which some pattern was not recorded before. */
  readonly added: readonly Declaration[];
  /** How often each use case has been removed by operators. */
  readonly removals: ReadonlyMap<string, number>;
}

/**
 * Keeps in the broker what is bound to each use case, since AMQP cannot list bindings (R6).
 *
 * AMQP has no clock of the broker's, and no client's can be trusted. So each declaration carries a count that grows
 * whenever an instance declares it, and each reader measures for itself how long ago the count last grew.
 */
export class Registry {
  readonly #document: SharedDocument<RegistryDocument>;
  readonly #lastSeen = new Map<string, LastSeen>();

  constructor(names: Names, access: DocumentAccess) {
    this.#document = new SharedDocument(names.registry, registryKind, access);
  }

  /**
   * Records declarations as seen now, but for those of use cases that were removed more often than whoever declares them
   * knows.
   *
   * @param known how often each was removed when it was first declared
   * @param found declarations of the version before, which are recorded too
   */
  async declare(
    app: string,
    declarations: readonly Declaration[],
    known: ReadonlyMap<string, number> = new Map(),
    found: readonly Declared[] = [],
  ): Promise<Recorded> {
    let added: readonly Declaration[] = [];
    const at = Date.now();
    const { removals } = await this.#change((document) => {
      const all = new Map(document.declarations.map((each) => [keyOf(each), each]));
      const removed = countsOf(document.removals);
      const alive = declarations.filter(({ name }) => (removed.get(name) ?? 0) <= (known.get(name) ?? Infinity));
      added = alive.filter(({ name, patterns, id }) => {
        const recorded = all.get(keyOf({ useCase: name, app, id }))?.patterns ?? [];
        return patterns.some((pattern) => !recorded.includes(pattern));
      });
      const seen = [
        ...alive.map(({ name, patterns, id }) => ({ useCase: name, patterns, id, app, count: 1, at })),
        ...found,
      ];
      for (const each of seen) {
        const key = keyOf(each);
        const before = all.get(key);
        const patterns = each.id === undefined ? union(before?.patterns, each.patterns) : each.patterns;
        all.set(key, { ...each, patterns, count: (before?.count ?? 0) + 1 });
      }
      const declared = [...all.values()];
      const names = new Set(seen.map(({ useCase }) => useCase));
      return {
        ...document,
        declarations: declared.filter((each) => !this.#isSuperseded(each, declared)),
        removals: document.removals.map((each) => (names.has(each.useCase) ? { ...each, kept: false } : each)),
      };
    });
    return { added, removals: countsOf(removals) };
  }

  /** Tells how often each use case has been removed by operators. */
  async removals(): Promise<ReadonlyMap<string, number>> {
    return countsOf((await this.#read()).removals);
  }

  /** Forgets a use case, and notes that it was removed; resolves to what was known of it. */
  async remove(
    useCase: string,
    keepsDeadLetters: boolean,
  ): Promise<{ readonly known: boolean; readonly delays: readonly number[] }> {
    let known = false;
    let delays: readonly number[] = [];
    await this.#change((document) => {
      const isOther = (each: { readonly useCase: string }) => each.useCase !== useCase;
      const removal = document.removals.find((each) => each.useCase === useCase);
      delays = document.delays.find((each) => each.useCase === useCase)?.delays ?? [];
      known = removal?.kept === true || !document.declarations.every(isOther);
      if (!known && delays.length === 0) return document;
      const count = (removal?.count ?? 0) + 1;
      return {
        declarations: document.declarations.filter(isOther),
        delays: document.delays.filter(isOther),
        removals: [...document.removals.filter(isOther), { useCase, count, kept: keepsDeadLetters }],
      };
    });
    return { known, delays };
  }

  /** When anybody last declared anything, by his own clock. */
  async latest(): Promise<number | undefined> {
    const { declarations } = await this.#read();
    return declarations.length === 0 ? undefined : Math.max(...declarations.map(({ at }) => at));
  }

  /** Lists the use cases that are declared, and those that were removed while their dead letters were kept. */
  async useCases(): Promise<{ readonly declared: readonly string[]; readonly kept: readonly string[] }> {
    const { declarations, removals } = await this.#read();
    return {
      declared: [...new Set(declarations.map(({ useCase }) => useCase))],
      kept: removals.filter(({ kept }) => kept).map(({ useCase }) => useCase),
    };
  }

  /** Lists the declarations of a use case, or of all. */
  async list(useCase?: string): Promise<readonly DeclarationRecord[]> {
    const { declarations } = await this.#read();
    const wanted = useCase === undefined ? declarations : declarations.filter((each) => each.useCase === useCase);
    return wanted.map((each) => ({
      useCase: each.useCase,
      patterns: each.patterns,
      idle: this.#idle(each),
      id: each.id,
      app: each.app,
    }));
  }

  /**
   * Forgets those of the patterns that nobody has declared for at least `idle` milliseconds.
   *
   * @param unbind receives them, and the patterns that are left, before anybody can declare one again
   */
  async withdraw(
    useCase: string,
    patterns: readonly string[],
    idle: number,
    unbind: (stale: readonly string[], kept: readonly string[]) => Promise<void>,
  ): Promise<void> {
    let stale: readonly string[] = [];
    let kept: readonly string[] = [];
    await this.#change(
      (document) => {
        const own = document.declarations.filter((each) => each.useCase === useCase);
        const alive = own.filter((each) => this.#measuredIdle(each) < idle).flatMap((each) => each.patterns);
        stale = patterns.filter((pattern) => !alive.includes(pattern));
        kept = own.flatMap((each) => each.patterns).filter((pattern) => !stale.includes(pattern));
        const declarations = document.declarations.flatMap((each) => {
          if (each.useCase !== useCase) return [each];
          const left = each.patterns.filter((pattern) => !stale.includes(pattern));
          // The last record of a use case stays: its queue does.
          return left.length === 0 && own.length > 1 ? [] : [{ ...each, patterns: left }];
        });
        return { ...document, declarations };
      },
      () => unbind(stale, kept),
    );
  }

  /** Records delays that have a queue, of a use case that somebody declares. */
  async addDelays(useCase: string, delays: readonly number[]): Promise<void> {
    await this.#change((document) => {
      if (!document.declarations.some((each) => each.useCase === useCase)) return document;
      const all = delays.reduce((before, delay) => withDelay(before, useCase, delay), document.delays);
      return all === document.delays ? document : { ...document, delays: all };
    });
  }

  /** Lists the delays that have a queue. */
  async delays(useCase: string): Promise<readonly number[]> {
    const { delays } = await this.#read();
    return delays.find((each) => each.useCase === useCase)?.delays ?? [];
  }

  /** Resolves when no change is under way any more. Never rejects. */
  idle(): Promise<void> {
    return this.#document.idle();
  }

  async #read(): Promise<RegistryDocument> {
    const document = await this.#document.read();
    this.#note(document);
    return document;
  }

  async #change(
    change: (document: RegistryDocument) => RegistryDocument,
    whileHeld?: () => Promise<void>,
  ): Promise<RegistryDocument> {
    const changed = await this.#document.change((document) => {
      this.#note(document);
      return change(document);
    }, whileHeld);
    this.#note(changed);
    return changed;
  }

  #note({ declarations }: RegistryDocument): void {
    const now = performance.now();
    for (const each of declarations) {
      const key = keyOf(each);
      if (this.#lastSeen.get(key)?.count !== each.count) this.#lastSeen.set(key, { count: each.count, at: now });
    }
    if (this.#lastSeen.size === declarations.length) return;
    const known = new Set(declarations.map(keyOf));
    for (const key of this.#lastSeen.keys()) if (!known.has(key)) this.#lastSeen.delete(key);
  }

  #measuredIdle(declared: Declared): number {
    const now = performance.now();
    return now - (this.#lastSeen.get(keyOf(declared))?.at ?? now);
  }

  /** A reader that has just come has measured nothing yet. */
  #idle(declared: Declared): number {
    const measured = this.#measuredIdle(declared);
    const told = Date.now() - declared.at;
    return told > MIN_TRUSTED_IDLE_MS ? Math.max(measured, told) : measured;
  }

  /** Whether a declaration is of the past, and others keep its patterns: each deploy that adds one would leave it. */
  #isSuperseded(declared: Declared, all: readonly Declared[]): boolean {
    if (this.#measuredIdle(declared) < MIN_TRUSTED_IDLE_MS) return false;
    const others = all.filter(
      (each) =>
        each !== declared && each.useCase === declared.useCase && this.#measuredIdle(each) < MIN_TRUSTED_IDLE_MS,
    );
    const kept = new Set(others.flatMap(({ patterns }) => patterns));
    return declared.patterns.every((pattern) => kept.has(pattern));
  }
}

function union(one: readonly string[] = [], other: readonly string[]): readonly string[] {
  return [...new Set([...one, ...other])];
}

function countsOf(removals: readonly Removal[]): ReadonlyMap<string, number> {
  return new Map(removals.map(({ useCase, count }) => [useCase, count]));
}
