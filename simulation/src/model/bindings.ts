import type { EntryOf } from "../history/entry.ts";
import { anyMatches } from "./matches.ts";

interface Declared {
  readonly id: string;
  readonly patterns: Set<string>;
  lastSeen: number;
}

/** What is declared for each use case, and so what it wants (R1, R6). */
export class Bindings {
  readonly #declared = new Map<string, Map<string, Declared>>();

  get useCases(): Iterable<string> {
    return this.#declared.keys();
  }

  declare({ at, app, useCase, declaration, patterns }: EntryOf<"declares">): void {
    let ofUseCase = this.#declared.get(useCase);
    if (ofUseCase === undefined) this.#declared.set(useCase, (ofUseCase = new Map()));
    const key = `${app} ${declaration}`;
    const known = ofUseCase.get(key);
    // A declaration that has lost some of its patterns gets them back.
    if (known === undefined || known.patterns.size < patterns.length)
      ofUseCase.set(key, { id: declaration, patterns: new Set(patterns), lastSeen: at });
    else known.lastSeen = at;
  }

  /** Unbinds what nobody has declared for so long. */
  withdraw({ at, useCase, patterns, idle }: EntryOf<"withdraws">): void {
    const ofUseCase = this.#declared.get(useCase);
    if (ofUseCase === undefined) return;
    const alive = new Set<string>();
    for (const declared of ofUseCase.values())
      if (declared.lastSeen > at - idle) for (const pattern of declared.patterns) alive.add(pattern);
    for (const declared of ofUseCase.values())
      for (const pattern of patterns) if (!alive.has(pattern)) declared.patterns.delete(pattern);
  }

  /** The use cases that want an event. */
  thatWant(name: string): string[] {
    return [...this.#declared.keys()].filter((useCase) => this.wants(useCase, name));
  }

  /** Whether a use case wants an event. */
  wants(useCase: string, name: string): boolean {
    for (const { patterns } of this.#declared.get(useCase)?.values() ?? []) if (anyMatches(patterns, name)) return true;
    return false;
  }

  /** Whether a declaration of a use case wants an event. */
  declarationWants(useCase: string, id: string, name: string): boolean {
    for (const declared of this.#declared.get(useCase)?.values() ?? [])
      if (declared.id === id && anyMatches(declared.patterns, name)) return true;
    return false;
  }

  /** Whether a pattern is bound. */
  has(useCase: string, pattern: string): boolean {
    for (const { patterns } of this.#declared.get(useCase)?.values() ?? []) if (patterns.has(pattern)) return true;
    return false;
  }
}
