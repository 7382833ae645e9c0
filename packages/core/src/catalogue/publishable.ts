import type { Catalogue, EventNames, SchemaInput } from "./types.ts";

/** `C` where all of its names and payloads are fit to be published, else an error in words in the place of each unfit. */
export type Publishable<C extends Catalogue> = [{ [N in EventNames<C>]: Unfit<N, C[N]> }[EventNames<C>]] extends [never]
  ? C
  : { readonly [N in keyof C]: [Unfit<N, C[N]>] extends [never] ? C[N] : Unfit<N, C[N]> };

type Unfit<N, Schema> = N extends string
  ? IsEventName<N> extends true
    ? NotJson<ValueProblem<SchemaInput<Schema>>>
    : NotAnEventName<N>
  : never;

/** A compile-time error in words, in the place of a schema under a name that no event can have. */
export type NotAnEventName<N extends string> =
  `'${N}' is no event name, which has words of A-Z a-z 0-9 _ - joined by dots`;

/** A compile-time error in words, in the place of a schema that takes what JSON cannot carry. */
export type NotJson<Problem extends string> = `payload${Problem}, which JSON cannot carry`;

/** The grammar of the contract, but for the limits, which are checked at run time. A name not known here passes. */
type IsEventName<N extends string> = N extends "" | `.${string}` | `${string}.` | `${string}..${string}`
  ? false
  : string extends N
    ? true
    : OnlyNameCharacters<N>;

type OnlyNameCharacters<S extends string> = S extends `${infer First}${infer Rest}`
  ? First extends NameCharacter
    ? OnlyNameCharacters<Rest>
    : false
  : true;

type NameCharacter = Characters<"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.">;

/** With what is found as a parameter it is a tail call, which may go deeper. */
type Characters<S extends string, Found = never> = S extends `${infer First}${infer Rest}`
  ? Characters<Rest, Found | First>
  : Found;

type JsonPrimitive = string | number | boolean | null;

/** How deep a payload is looked at. Without an end a recursive type would be one without end. */
type Depth = 8;
type Less = [never, 0, 1, 2, 3, 4, 5, 6, 7];

/** What JSON cannot carry in a value: the path to it and a verb, a union of all; `never` for nothing. */
type ValueProblem<T, D extends number = Depth> = unknown extends T
  ? never
  : undefined extends T
    ? " may be undefined"
    : MemberProblem<T, D>;

/** As {@link ValueProblem}, for what may be left out. */
type MemberProblem<T, D extends number> = unknown extends T
  ? never
  : [T] extends [JsonPrimitive | undefined]
    ? never
    : D extends 0
      ? never
      : OneProblem<T, Less[D]>;

type OneProblem<T, D extends number> = T extends JsonPrimitive | undefined
  ? never
  : T extends bigint
    ? " is a bigint"
    : T extends symbol
      ? " is a symbol"
      : T extends (...args: never) => unknown
        ? " is a function"
        : T extends readonly (infer Element)[]
          ? `[]${ValueProblem<Element, D>}`
          : T extends object
            ? ObjectProblem<T, D>
            : never;

type ObjectProblem<T extends object, D extends number> = T extends Date
  ? " is a Date"
  : T extends ReadonlyMap<unknown, unknown>
    ? " is a Map"
    : T extends ReadonlySet<unknown>
      ? " is a Set"
      : T extends ArrayBuffer | ArrayBufferView
        ? " is binary"
        : T extends { toJSON(...args: never): unknown }
          ? " has a toJSON"
          : { [K in JsonKey<T>]-?: `.${K}${MemberProblem<T[K], D>}` }[JsonKey<T>];

type JsonKey<T> = keyof T & (string | number);
