import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Catalogue, EventNames, NoCatalogue, SchemaInput, SchemaOutput } from "./types.ts";

/** One pattern or several. */
export type Patterns = string | readonly string[];

/** The patterns as a union of strings. */
export type PatternOf<P extends Patterns> = P extends readonly string[] ? P[number] : P;

type Head<S extends string> = S extends `${infer H}.${string}` ? H : S;
type Tail<S extends string> = S extends `${string}.${infer T}` ? T : "";

/**
 * Whether a name matches a pattern, by the rules of the run-time matcher; `""` stands for no words left. Words that
 * the compiler does not know match: the run-time matcher decides.
 */
export type Matches<N extends string, P extends string> = N extends P
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
          : Head<P> extends "*"
            ? Matches<Tail<N>, Tail<P>>
            : Head<N> extends Head<P>
              ? Matches<Tail<N>, Tail<P>>
              : false;

/** The names of a catalogue that a pattern matches. */
export type NamesMatching<C extends Catalogue | NoCatalogue, P extends string> =
  P extends EventNames<C> ? P : { [N in EventNames<C>]: Matches<N, P> extends true ? N : never }[EventNames<C>];

/** A compile-time error in words, in the place of a pattern that matches nothing. */
export type NoEventMatches<P extends string> = P extends `${string},${string}`
  ? `several patterns go into a list, not into one string: '${P}'`
  : `no event of the catalogue matches the pattern '${P}'`;

/**
 * `P` itself where each of its patterns matches something in the catalogue, else an error in words in the place of
 * each that does not. The bare `P` is what the compiler infers from; had it `P & ...`, it would print `never`.
 */
export type CheckedPatterns<C extends Catalogue | NoCatalogue, P extends Patterns> = C extends NoCatalogue
  ? P
  : [Unmatched<C, PatternOf<P>>] extends [never]
    ? P
    : P extends readonly string[]
      ? { readonly [I in keyof P]: CheckedPattern<C, P[I]> }
      : CheckedPattern<C, P>;

type Unmatched<C extends Catalogue | NoCatalogue, P> = P extends string
  ? [NamesMatching<C, P>] extends [never]
    ? P
    : never
  : never;

type CheckedPattern<C extends Catalogue | NoCatalogue, P> = P extends Unmatched<C, P> ? NoEventMatches<P> : P;

/**
 * The names that a handler on these patterns gets. All where nothing matches: that has one error of its own, at the
 * pattern, and `never` would add one for each use of the payload.
 */
export type HandledNames<C extends Catalogue, P extends Patterns> = [NamesMatching<C, PatternOf<P>>] extends [never]
  ? EventNames<C>
  : NamesMatching<C, PatternOf<P>>;

/** The schema of what a handler on these patterns is handed: its own, else those of the catalogue, else any. */
type SchemaFor<C extends Catalogue | NoCatalogue, P extends Patterns, S> = S extends undefined
  ? C extends NoCatalogue
    ? StandardSchemaV1
    : C extends Catalogue
      ? C[HandledNames<C, P>]
      : never
  : S;

/** What a handler on these patterns is handed; without a schema and a catalogue `unknown`. */
export type PayloadFor<C extends Catalogue | NoCatalogue, P extends Patterns, S> = SchemaOutput<SchemaFor<C, P, S>>;

/** What a use case on these patterns is sent. */
export type InputFor<C extends Catalogue | NoCatalogue, P extends Patterns, S> = SchemaInput<SchemaFor<C, P, S>>;
