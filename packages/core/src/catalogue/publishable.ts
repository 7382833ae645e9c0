import type { Catalogue, EventNames, SchemaInput } from "./types.ts";

/** `C` where all of its names and payloads are fit to be published, else an error in words in the place of each unfit. */
export type Publishable<C extends Catalogue> = [{ [N in EventNames<C>]: Unfit<N, C[N]> }[EventNames<C>]] extends [never]
  ? C
  : { readonly [N in keyof C]: [Unfit<N, C[N]>] extends [never] ? C[N] : Unfit<N, C[N]> };

type Unfit<N, Schema> = N extends string
  ? IsEventName<N> extends true
    ? NotJson<JsonProblem<SchemaInput<Schema>>>
    : NotAnEventName<N>
  : never;

/** A compile-time error in words, in the place of a schema under a name that no event can have. */
export type NotAnEventName<N extends string> =
  `'${N}' is not a valid event name, which has words of A-Z a-z 0-9 _ - joined by dots`;

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

/**
 * What JSON cannot carry in a payload of type `T`, with the path to it; `never` for nothing. The first look is quick and
 * has no paths; only where it finds something comes one for the nearest: of all paths, a recursive type has millions.
 */
type JsonProblem<T> = [ValueProblem<T, Depth, false>] extends [never] ? never : NearestProblem<T>;

type NearestProblem<T, D extends number = 0> = [ValueProblem<T, D, true>] extends [never]
  ? D extends Depth
    ? never
    : NearestProblem<T, More[D]>
  : ValueProblem<T, D, true>;

/** How many levels of a payload are looked at: its type may have no end. */
type Depth = 8;
type More = [1, 2, 3, 4, 5, 6, 7, 8];
type Less = [never, 0, 1, 2, 3, 4, 5, 6, 7];

type JsonPrimitive = string | number | boolean | null;

/** In a payload or an element of a list, where `undefined` has no JSON or another one. */
type ValueProblem<T, D extends number, Paths> = Undefined extends T
  ? unknown extends T
    ? never
    : " may be undefined"
  : MemberProblem<T, D, Paths>;

/** Without `strictNullChecks` every type takes `undefined`; but none that JSON carries takes `void`. */
// biome-ignore lint/suspicious/noConfusingVoidType: meant is the type itself
type Undefined = undefined extends string ? void : undefined;

/** In a member of an object, which may be left out. */
type MemberProblem<T, D extends number, Paths> = [T] extends [JsonPrimitive | undefined]
  ? never
  : OneProblem<T, D, Paths>;

type OneProblem<T, D extends number, Paths> = T extends JsonPrimitive | undefined
  ? never
  : T extends bigint
    ? " is a bigint"
    : T extends symbol
      ? " is a symbol"
      : T extends (...args: never) => unknown
        ? " is a function"
        : T extends readonly (infer Element)[]
          ? D extends 0
            ? never
            : Step<"[]", ValueProblem<Element, Less[D], Paths>, Paths>
          : T extends object
            ? ObjectProblem<T, D, Paths>
            : never;

type ObjectProblem<T extends object, D extends number, Paths> = T extends Date
  ? " is a Date"
  : T extends ReadonlyMap<unknown, unknown>
    ? " is a Map"
    : T extends ReadonlySet<unknown>
      ? " is a Set"
      : T extends ArrayBuffer | ArrayBufferView
        ? " is binary"
        : T extends { toJSON(...args: never): unknown }
          ? " is an object with a toJSON"
          : D extends 0
            ? never
            : { [K in JsonKey<T>]: Step<`.${K}`, MemberProblem<T[K], Less[D], Paths>, Paths> }[JsonKey<T>];

type JsonKey<T> = keyof T & (string | number);

type Step<Name extends string, Problem, Paths> = Problem extends string
  ? Paths extends true
    ? `${Name}${Problem}`
    : Problem
  : never;
