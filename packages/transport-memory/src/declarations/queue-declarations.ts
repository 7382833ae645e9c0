import type { Declaration, DeclarationRecord } from "@papa-events/core/transport";

interface Declared {
  readonly app: string;
  readonly id: string;
  readonly patterns: Set<string>;
  lastSeen: number;
}

/** What the apps have declared for one queue, and when each was last seen. */
export class QueueDeclarations {
  readonly #useCase: string;
  readonly #declared = new Map<string, Declared>();

  constructor(useCase: string) {
    this.#useCase = useCase;
  }

  /** Records a declaration as seen now, and gives the patterns that nobody had declared before. */
  record(app: string, { id, patterns }: Declaration, now: number): readonly string[] {
    const bound = this.patterns();
    this.#declared.set(JSON.stringify([app, id]), { app, id, patterns: new Set(patterns), lastSeen: now });
    return patterns.filter((pattern) => !bound.has(pattern));
  }

  list(now: number): readonly DeclarationRecord[] {
    return [...this.#declared.values()].map(({ app, id, patterns, lastSeen }) => ({
      useCase: this.#useCase,
      app,
      id,
      patterns: [...patterns],
      idle: now - lastSeen,
    }));
  }

  /** Forgets those patterns that nobody has declared since a time, and gives them. */
  withdraw(patterns: readonly string[], since: number): readonly string[] {
    const before = this.patterns();
    const alive = this.patterns(({ lastSeen }) => lastSeen > since);
    const withdrawn = patterns.filter((pattern) => before.has(pattern) && !alive.has(pattern));
    for (const [key, declared] of this.#declared) {
      for (const pattern of withdrawn) declared.patterns.delete(pattern);
      if (declared.patterns.size === 0) this.#declared.delete(key);
    }
    return withdrawn;
  }

  /** Those that are bound. */
  patterns(which: (declared: Declared) => boolean = () => true): ReadonlySet<string> {
    return new Set([...this.#declared.values()].filter(which).flatMap(({ patterns }) => [...patterns]));
  }
}
