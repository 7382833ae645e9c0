import type { StandardSchemaV1 } from "@standard-schema/spec";

/** The events of a system: a Standard Schema by event name. See {@link import("./define-events.ts").defineEvents}. */
export type Catalogue = Readonly<Record<string, StandardSchemaV1>>;

/**
 * An app without a catalogue: any name, any payload. Ask `C extends NoCatalogue` before `C extends Catalogue`: without
 * `strictNullChecks` the compiler takes `undefined` for a catalogue too.
 */
export type NoCatalogue = undefined;

/**
 * What a schema takes; `unknown` of one that says nothing of types. Read by `infer` from `"~standard"`, which is quicker
 * to check than the spec's own helper, and one schema at a time, so that of two payloads none vanishes in the other.
 */
export type SchemaInput<S> = S extends { readonly "~standard": { readonly types?: infer T } }
  ? MemberOf<T, "input">
  : unknown;

/** What a schema makes of what it takes. */
export type SchemaOutput<S> = S extends { readonly "~standard": { readonly types?: infer T } }
  ? MemberOf<T, "output">
  : unknown;

type MemberOf<T, K extends string> = NonNullable<T> extends { readonly [_ in K]: infer V } ? V : unknown;

/** The names of a catalogue. */
export type EventNames<C extends Catalogue | NoCatalogue> = keyof C & string;

/** Names that may be published: those of the catalogue, or any. Spelled out, so that errors list the names. */
export type NameIn<C extends Catalogue | NoCatalogue> = C extends NoCatalogue ? string : keyof C & string;

/** What is published under a name. */
export type PayloadIn<C extends Catalogue | NoCatalogue, N> = N extends keyof C
  ? SchemaInput<C[N]>
  : C extends NoCatalogue
    ? unknown
    : never;
