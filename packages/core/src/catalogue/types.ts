import type { StandardSchemaV1 } from "@standard-schema/spec";

/** The events of a system: a Standard Schema by event name. See {@link import("./define-events.ts").defineEvents}. */
export type Catalogue = Readonly<Record<string, StandardSchemaV1>>;

/** An app without a catalogue: any name, any payload. */
export type NoCatalogue = undefined;

/** What a schema takes. Read by `infer` from `"~standard"`, which is quicker to check than the spec's own helper. */
export type SchemaInput<S> = S extends { readonly "~standard": { readonly types?: infer T } }
  ? Member<T, "input">
  : never;

/** What a schema makes of what it takes. */
export type SchemaOutput<S> = S extends { readonly "~standard": { readonly types?: infer T } }
  ? Member<T, "output">
  : never;

type Member<T, K extends "input" | "output"> = NonNullable<T> extends { readonly [P in K]: infer V } ? V : never;

/** The names of a catalogue. */
export type EventNames<C extends Catalogue> = keyof C & string;

type Head<S extends string> = S extends `${infer H}.${string}` ? H : S;
type Tail<S extends string> = S extends `${string}.${infer T}` ? T : "";

/** Whether a name matches a pattern, by the rules of the run-time matcher; `""` stands for no words left. */
export type Matches<N extends string, P extends string> = P extends N
  ? true
  : P extends "#"
    ? true
    : P extends ""
      ? false
      : Head<P> extends "#"
        ? Matches<N, Tail<P>> extends true
          ? true
          : N extends ""
            ? false
            : Matches<Tail<N>, P>
        : N extends ""
          ? false
          : Head<P> extends "*" | Head<N>
            ? Matches<Tail<N>, Tail<P>>
            : false;

/** The names of a catalogue that a pattern matches. */
export type NamesMatching<C extends Catalogue, P extends string> =
  P extends EventNames<C> ? P : { [N in EventNames<C>]: Matches<N, P> extends true ? N : never }[EventNames<C>];

/** One pattern or several. */
export type Patterns = string | readonly string[];

/** The patterns as a union of strings. */
export type PatternOf<P extends Patterns> = P extends readonly string[] ? P[number] : P;

/** A compile-time error in words, shown where a pattern matches nothing. */
export interface NoEventMatches<P extends string> {
  readonly "no event of the catalogue matches the pattern": P;
}

/** `P` itself where each of its patterns matches something in the catalogue, else the error in words. */
export type CheckedPatterns<C extends Catalogue | NoCatalogue, P extends Patterns> = C extends Catalogue
  ? P extends readonly string[]
    ? { readonly [I in keyof P]: CheckedPattern<C, P[I]> }
    : CheckedPattern<C, P>
  : P;

type CheckedPattern<C extends Catalogue, P> = P extends string
  ? [NamesMatching<C, P>] extends [never]
    ? NoEventMatches<P>
    : P
  : P;

/** What a handler on these patterns is handed; without a schema and a catalogue `unknown`. */
export type PayloadFor<C extends Catalogue | NoCatalogue, P extends Patterns, S> = S extends StandardSchemaV1
  ? SchemaOutput<S>
  : C extends Catalogue
    ? SchemaOutput<C[NamesMatching<C, PatternOf<P>>]>
    : unknown;
