import type { StandardSchemaV1 } from "@standard-schema/spec";
import { PapaError } from "../errors/papa-error.ts";
import { assertEventName } from "../routing/event-name.ts";
import type { Catalogue, SchemaInput } from "./types.ts";

type WordCharacter = "-" | "_" | Digit | Lower | Uppercase<Lower>;
type Digit = "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9";
type Lower =
  | "a"
  | "b"
  | "c"
  | "d"
  | "e"
  | "f"
  | "g"
  | "h"
  | "i"
  | "j"
  | "k"
  | "l"
  | "m"
  | "n"
  | "o"
  | "p"
  | "q"
  | "r"
  | "s"
  | "t"
  | "u"
  | "v"
  | "w"
  | "x"
  | "y"
  | "z";

type IsWord<S extends string> = S extends "" ? false : OnlyWordCharacters<S>;
type OnlyWordCharacters<S extends string> = S extends `${infer First}${infer Rest}`
  ? First extends WordCharacter
    ? Rest extends ""
      ? true
      : OnlyWordCharacters<Rest>
    : false
  : false;

type IsEventName<S extends string> = S extends `${infer Head}.${infer Rest}`
  ? IsWord<Head> extends true
    ? IsEventName<Rest>
    : false
  : IsWord<S>;

/** What JSON carries as it is; all else comes out of it changed or not at all. */
type JsonProblem<T> = 0 extends 1 & T
  ? never
  : unknown extends T
    ? never
    : T extends string | number | boolean | null | undefined
      ? never
      : T extends Date
        ? "Date"
        : T extends bigint
          ? "bigint"
          : T extends symbol
            ? "symbol"
            : T extends (...args: never) => unknown
              ? "function"
              : T extends ReadonlyMap<unknown, unknown>
                ? "Map"
                : T extends ReadonlySet<unknown>
                  ? "Set"
                  : T extends readonly (infer E)[]
                    ? JsonProblem<E>
                    : T extends object
                      ? { [K in keyof T]-?: JsonProblem<T[K]> }[keyof T]
                      : never;

/** Compile-time errors in words. */
export interface NotAnEventName<N extends string> {
  readonly "this is no event name": N;
}
/** The payload's type holds something that JSON cannot carry. */
export interface NotJson<T> {
  readonly "JSON cannot carry this in a payload": T;
}

/** `C` where all of its names and payloads are fit to be published, else errors in words. */
export type CheckedCatalogue<C> = {
  readonly [N in keyof C]: IsEventName<N & string> extends true
    ? [JsonProblem<SchemaInput<C[N]>>] extends [never]
      ? C[N]
      : NotJson<JsonProblem<SchemaInput<C[N]>>>
    : NotAnEventName<N & string>;
};

/**
 * The events of a system, for `new PapaApp({ transport, events })`: names, payloads, returned events and
 * wildcards are then checked at compile time, payloads also when they are published and handled. Returns the record
 * as given, so that catalogues combine by spread.
 *
 * @throws PapaError `invalid-event-name`, `invalid-option`
 * @example const events = defineEvents({ "user.created": z.object({ name: z.string() }) });
 */
export function defineEvents<const C extends Catalogue>(events: C & CheckedCatalogue<C>): C {
  for (const [name, schema] of Object.entries(events)) {
    assertEventName(name);
    assertSchema(schema, `events: "${name}"`);
  }
  return events;
}

/**
 * An entry of a catalogue with a type and no run-time check.
 *
 * @example defineEvents({ "user.deleted": typeOnly<{ id: string }>() })
 */
export function typeOnly<T>(): StandardSchemaV1<T, T> {
  return { "~standard": { version: 1, vendor: "papa-events", validate: (value) => ({ value: value as T }) } };
}

/** @throws PapaError `invalid-option` */
export function assertSchema(schema: unknown, option: string): asserts schema is StandardSchemaV1 {
  const standard =
    (typeof schema === "object" && schema !== null) || typeof schema === "function"
      ? (schema as Partial<StandardSchemaV1>)["~standard"]
      : undefined;
  if (typeof standard?.validate === "function") return;
  const problem = "this is no Standard Schema, such as one of zod 3.24 or newer";
  throw new PapaError("invalid-option", `${option}: ${problem}.`, { option, problem });
}
