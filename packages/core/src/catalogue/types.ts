import type { StandardSchemaV1 } from "@standard-schema/spec";

/** The events of a system: a Standard Schema by event name. See {@link import("./define-events.ts").defineEvents}. */
export type Catalogue = Readonly<Record<string, StandardSchemaV1>>;

/** An app without a catalogue: any name, any payload. */
export type NoCatalogue = undefined;

/** What a schema takes. Read by `infer` from `"~standard"`, which is quicker to check than the spec's own helper. */
export type SchemaInput<S> = TypesOf<S> extends { readonly input: infer T } ? T : unknown;

/** What a schema makes of what it takes. */
export type SchemaOutput<S> = TypesOf<S> extends { readonly output: infer T } ? T : unknown;

type TypesOf<S> = S extends { readonly "~standard": { readonly types?: infer T } } ? NonNullable<T> : never;

/** The names of a catalogue. */
export type EventNames<C extends Catalogue> = keyof C & string;

/** Names that may be published: those of the catalogue, or any. Spelled out, so that errors list the names. */
export type NameIn<C extends Catalogue | NoCatalogue> = C extends Catalogue ? keyof C & string : string;

/** What is published under a name. */
export type PayloadIn<C extends Catalogue | NoCatalogue, N> = N extends keyof C
  ? SchemaInput<C[N]>
  : C extends Catalogue
    ? never
    : unknown;
