import type { DeclarationRecord } from "@papa-events/core/transport";
import type { KafkaRecord } from "../wire/records.ts";
import type { Positions } from "./bindings.ts";
import { type RegistryKey, registryRecord } from "./registry-record.ts";

/** A declaration that others have replaced shows for so long who declared what before. */
const KEEP_REPLACED_MS = 86_400_000;

/** What one writer recorded of a pattern. */
interface Bound {
  /** Where in the log. Of several writers the first counts. */
  readonly at: number;
  readonly positions: Positions;
}

interface Pattern {
  readonly writers: Map<string, Bound>;
  /** When it was last bound or seen, by the broker's clock. */
  lastSeen: number;
}

interface Declared {
  readonly id: string;
  readonly app: string;
  readonly patterns: readonly string[];
  readonly lastSeen: number;
}

/** What is declared of one use case, as the registry tells it. */
export class UseCaseDeclarations {
  readonly useCase: string;
  readonly #patterns = new Map<string, Pattern>();
  readonly #declared = new Map<string, Declared>();
  /** Whether it is remembered by its name, also without patterns. */
  recorded = false;

  constructor(useCase: string) {
    this.useCase = useCase;
  }

  patternSeen(name: string, time: number): void {
    this.#pattern(name, time).lastSeen = time;
  }

  bind(name: string, writer: string, bound: Bound, time: number): void {
    const pattern = this.#pattern(name, time);
    pattern.writers.set(writer, bound);
    pattern.lastSeen = Math.max(pattern.lastSeen, time);
  }

  unbind(name: string, writer: string): void {
    const pattern = this.#patterns.get(name);
    pattern?.writers.delete(writer);
    if (pattern?.writers.size === 0) this.#patterns.delete(name);
  }

  seen(id: string, app: string, patterns: readonly string[], time: number): void {
    this.#declared.set(keyOf(id, app), { id, app, patterns, lastSeen: time });
  }

  forget(id: string, app: string): void {
    this.#declared.delete(keyOf(id, app));
  }

  /** Whether there is anything of it but traces of instances that still declare what was removed. */
  get exists(): boolean {
    return this.recorded || [...this.#patterns.keys()].some((name) => this.isBound(name));
  }

  /** What binds its patterns, as records of the registry. */
  records(): readonly KafkaRecord[] {
    const { useCase } = this;
    const bound = [...this.#patterns].flatMap(([pattern, { writers }]) => {
      const [first] = [...writers].sort(([, a], [, b]) => a.at - b.at);
      if (first === undefined) return [];
      const [writer, { positions }] = first;
      return [registryRecord({ kind: "binding", useCase, pattern, writer }, positions)];
    });
    return this.exists ? [registryRecord({ kind: "use-case", useCase }, {}), ...bound] : [];
  }

  /** The keys of all that is bound. */
  get bindingKeys(): readonly RegistryKey[] {
    const { useCase } = this;
    return [...this.#patterns].flatMap(([pattern, { writers }]) =>
      [...writers.keys()].map((writer) => ({ kind: "binding", useCase, pattern, writer }) as const),
    );
  }

  isBound(name: string): boolean {
    return (this.#patterns.get(name)?.writers.size ?? 0) > 0;
  }

  /** The bound patterns, and from where on they receive events. */
  get bindings(): (readonly [pattern: string, positions: Positions])[] {
    return [...this.#patterns].flatMap(([name, { writers }]) => {
      const [first] = [...writers.values()].sort((a, b) => a.at - b.at);
      return first === undefined ? [] : [[name, first.positions] as const];
    });
  }

  /** A record for each declaration, and one for each pattern that the version before has seen since: it keeps patterns only. */
  list(now: number): readonly DeclarationRecord[] {
    const { useCase } = this;
    const idle = (lastSeen: number) => Math.max(now - lastSeen, 0);
    const declared = [...this.#declared.values()].flatMap(({ id, app, patterns, lastSeen }) => {
      const bound = patterns.filter((pattern) => this.isBound(pattern));
      return bound.length === 0 ? [] : [{ useCase, patterns: bound, idle: idle(lastSeen), id, app }];
    });
    const alone = [...this.#patterns]
      .filter(([name, { lastSeen }]) => this.isBound(name) && lastSeen > this.#declaredAt(name))
      .map(([name, { lastSeen }]) => ({ useCase, patterns: [name], idle: idle(lastSeen) }));
    return [...declared, ...alone];
  }

  /** What is to be forgotten so that those of `names` are gone that nobody has declared since a time. */
  withdrawn(names: readonly string[], since: number): readonly RegistryKey[] {
    const { useCase } = this;
    const stale = new Set(
      names.filter((name) => (this.#patterns.get(name)?.lastSeen ?? Number.POSITIVE_INFINITY) <= since),
    );
    const patterns = [...stale].flatMap((pattern): RegistryKey[] => [
      ...[...(this.#patterns.get(pattern)?.writers.keys() ?? [])].map(
        (writer) => ({ kind: "binding", useCase, pattern, writer }) as const,
      ),
      { kind: "pattern", useCase, pattern },
    ]);
    const declared = [...this.#declared.values()]
      .filter((each) => each.lastSeen <= since && each.patterns.some((pattern) => stale.has(pattern)))
      .map(({ id, app }): RegistryKey => ({ kind: "declaration", useCase, id, app }));
    return [...patterns, ...declared];
  }

  /** Declarations that nobody has shown for long and whose patterns others declare: nothing will ever be withdrawn with them. */
  replaced(now: number): readonly RegistryKey[] {
    const { useCase } = this;
    const since = now - KEEP_REPLACED_MS;
    const all = [...this.#declared.values()];
    const alive = new Set(all.filter(({ lastSeen }) => lastSeen > since).flatMap(({ patterns }) => patterns));
    const isKept = (pattern: string) => alive.has(pattern) || !this.isBound(pattern);
    return all
      .filter(({ lastSeen, patterns }) => lastSeen <= since && patterns.every(isKept))
      .map(({ id, app }): RegistryKey => ({ kind: "declaration", useCase, id, app }));
  }

  #pattern(name: string, time: number): Pattern {
    let pattern = this.#patterns.get(name);
    if (pattern === undefined) this.#patterns.set(name, (pattern = { writers: new Map(), lastSeen: time }));
    return pattern;
  }

  /** When a pattern was last part of a declaration. */
  #declaredAt(name: string): number {
    let latest = Number.NEGATIVE_INFINITY;
    for (const { patterns, lastSeen } of this.#declared.values())
      if (patterns.includes(name)) latest = Math.max(latest, lastSeen);
    return latest;
  }
}

function keyOf(id: string, app: string): string {
  return JSON.stringify([id, app]);
}
