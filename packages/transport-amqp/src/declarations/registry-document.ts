import type { DocumentKind } from "./shared-document.ts";

/** A declaration as the broker keeps it. */
export interface Declared {
  readonly useCase: string;
  readonly patterns: readonly string[];
  /** The declaration's id and its app's name; the version before kept neither. */
  readonly id?: string | undefined;
  readonly app?: string | undefined;
  /** How often instances have declared it. */
  readonly count: number;
  /** When one last did, by its own clock, in milliseconds since 1970. */
  readonly at: number;
}

/** The delays of a use case that have a queue, in milliseconds. */
export interface UsedDelays {
  readonly useCase: string;
  readonly delays: readonly number[];
}

/** How often a use case was removed by an operator. */
export interface Removal {
  readonly useCase: string;
  readonly count: number;
  /** Whether its dead letters were kept, and nobody has declared it anew since. */
  readonly kept: boolean;
}

/** What is known of a namespace: AMQP can list neither bindings nor queues. */
export interface RegistryDocument {
  readonly declarations: readonly Declared[];
  readonly delays: readonly UsedDelays[];
  readonly removals: readonly Removal[];
}

export const registryKind: DocumentKind<RegistryDocument> = {
  empty: { declarations: [], delays: [], removals: [] },
  read: (json) => {
    const { declarations, delays, removals } = Object(json) as Record<string, unknown>;
    return {
      declarations: listOf(declarations, isDeclared),
      delays: listOf(delays, isUsedDelays),
      removals: listOf(removals, isRemoval),
    };
  },
  merge: (one, other) => {
    const declarations = new Map(one.declarations.map((each) => [keyOf(each), each]));
    for (const each of other.declarations) {
      const known = declarations.get(keyOf(each));
      if (known === undefined || known.count < each.count) declarations.set(keyOf(each), each);
    }
    const delays = other.delays.reduce(
      (merged, each) => each.delays.reduce((all, delay) => withDelay(all, each.useCase, delay), merged),
      one.delays,
    );
    const removals = new Map(one.removals.map((each) => [each.useCase, each]));
    for (const each of other.removals) {
      const known = removals.get(each.useCase);
      if (known === undefined || known.count < each.count) removals.set(each.useCase, each);
    }
    return { declarations: [...declarations.values()], delays, removals: [...removals.values()] };
  },
};

/** What tells declarations apart: one that changes its patterns has another id. */
export function keyOf({ useCase, app, id }: Pick<Declared, "useCase" | "app" | "id">): string {
  return JSON.stringify([useCase, app, id]);
}

/** Adds a delay to those of a use case; returns the same list if it is there. */
export function withDelay(all: readonly UsedDelays[], useCase: string, delay: number): readonly UsedDelays[] {
  const known = all.find((each) => each.useCase === useCase);
  if (known === undefined) return [...all, { useCase, delays: [delay] }];
  if (known.delays.includes(delay)) return all;
  return all.map((each) => (each === known ? { useCase, delays: [...known.delays, delay] } : each));
}

function listOf<T>(value: unknown, is: (each: unknown) => each is T): readonly T[] {
  return Array.isArray(value) ? value.filter(is) : [];
}

function isDeclared(value: unknown): value is Declared {
  const { useCase, patterns, id, app, count, at } = Object(value) as Record<string, unknown>;
  return (
    typeof useCase === "string" &&
    Array.isArray(patterns) &&
    patterns.every((each) => typeof each === "string") &&
    (id === undefined || typeof id === "string") &&
    (app === undefined || typeof app === "string") &&
    typeof count === "number" &&
    typeof at === "number"
  );
}

function isUsedDelays(value: unknown): value is UsedDelays {
  const { useCase, delays } = Object(value) as Record<string, unknown>;
  return typeof useCase === "string" && Array.isArray(delays) && delays.every((each) => Number.isInteger(each));
}

function isRemoval(value: unknown): value is Removal {
  const { useCase, count, kept } = Object(value) as Record<string, unknown>;
  return typeof useCase === "string" && Number.isInteger(count) && typeof kept === "boolean";
}
