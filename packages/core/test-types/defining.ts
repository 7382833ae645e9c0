// defineEvents: what a catalogue may hold, and how catalogues combine. The words of its errors: messages/defining.ts.
import { type Catalogue, defineEvents, PapaApp, typeOnly } from "@papa-events/core";
import { expectTypeOf } from "vitest";
import { z } from "zod";
import { type Events, events, transport } from "./events.ts";

// The record comes back as given, so that catalogues combine by spread.
const orders = defineEvents({ "order.paid": z.object({ total: z.number() }) });
expectTypeOf(orders).toEqualTypeOf<{ readonly "order.paid": z.ZodObject<{ total: z.ZodNumber }, z.core.$strip> }>();
const all = defineEvents({ ...events, ...orders, "order.sent": typeOnly<{ id: string }>() });
expectTypeOf<keyof typeof all>().toEqualTypeOf<keyof Events | "order.paid" | "order.sent">();
new PapaApp({ transport, events: { ...events, ...orders } }).onEvent("order.*", { useCase: "1" }, (order) => {
  expectTypeOf(order).toEqualTypeOf<{ total: number }>();
});
const none = defineEvents({});
expectTypeOf<keyof typeof none>().toEqualTypeOf<never>();
declare const unknownNames: Catalogue;
expectTypeOf(defineEvents(unknownNames)).toEqualTypeOf<Catalogue>();
// @ts-expect-error no schema
defineEvents({ "user.created": { name: "string" } });
// @ts-expect-error no catalogue
defineEvents("user.created");

// Names.
defineEvents({ a: z.string(), "A-b_9.c": z.string(), "a.b.c.d.e.f.g.h.i.j": z.string() });
// @ts-expect-error empty
defineEvents({ "": z.string() });
// @ts-expect-error an empty word
defineEvents({ ".a": z.string() });
// @ts-expect-error an empty word
defineEvents({ "a.": z.string() });
// @ts-expect-error an empty word
defineEvents({ "a..b": z.string() });
// @ts-expect-error a space
defineEvents({ "a b": z.string() });
// @ts-expect-error a wildcard
defineEvents({ "a.*": z.string() });
// @ts-expect-error a wildcard
defineEvents({ "#": z.string() });
// @ts-expect-error a letter other than a to z
defineEvents({ "a.año": z.string() });
// @ts-expect-error one of several
defineEvents({ "a.b": z.string(), "a/b": z.string() });

// Payloads that JSON carries.
/** `any`, as other libraries hand it over. */
type Any = ReturnType<typeof JSON.parse>;
declare enum Plan {
  Free,
  Paid = "paid",
}
interface Tree {
  value: string;
  parent?: Tree | undefined;
  children: readonly Tree[];
}
type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
/** Each level is of another type: to look at all of it would never end. */
interface Widening<T> {
  value: T;
  next?: Widening<T[]>;
}
const Category = z.object({
  name: z.string(),
  get children() {
    return z.array(Category);
  },
});
defineEvents({
  any: z.any(),
  unknown: z.unknown(),
  "any.within": typeOnly<{ a: Any; b: unknown[]; c: Any[]; d?: unknown; e: Record<string, Any> }>(),
  null: z.null(),
  object: typeOnly<object>(),
  never: typeOnly<never>(),
  record: typeOnly<Record<string, string | undefined>>(),
  tuple: z.tuple([z.string()], z.number()),
  optional: typeOnly<{ a?: string; b?: string | undefined; c: string | undefined; d: readonly (string | null)[] }>(),
  enum: typeOnly<Plan>(),
  template: typeOnly<`user-${number}`>(),
  brand: typeOnly<string & { readonly __brand: "Id" }>(),
  "brand.zod": z.object({ id: z.string().brand("Id") }),
  tree: typeOnly<Tree>(),
  json: typeOnly<Json>(),
  "json.zod": z.json(),
  widening: typeOnly<Widening<string>>(),
  category: Category,
  loose: z.looseObject({ a: z.string() }),
  union: z.discriminatedUnion("t", [z.object({ t: z.literal("a") }), z.object({ t: z.literal("b"), n: z.number() })]),
  coerced: z.object({ at: z.coerce.date(), n: z.coerce.bigint() }),
  codec: z.codec(z.iso.datetime(), z.date(), {
    decode: (text) => new Date(text),
    encode: (date) => date.toISOString(),
  }),
  "class.of.data": typeOnly<{ error: { name: string; message: string } }>(),
});

// Payloads that it cannot carry.
class Money {
  amount = 1;
  plus(other: Money): Money {
    return other;
  }
}
// @ts-expect-error Date
defineEvents({ a: z.date() });
// @ts-expect-error bigint
defineEvents({ a: z.bigint() });
// @ts-expect-error function
defineEvents({ a: typeOnly<() => void>() });
// @ts-expect-error symbol
defineEvents({ a: z.symbol() });
// @ts-expect-error Map
defineEvents({ a: z.map(z.string(), z.string()) });
// @ts-expect-error Set
defineEvents({ a: z.set(z.string()) });
// @ts-expect-error bytes
defineEvents({ a: typeOnly<Uint8Array>() });
// @ts-expect-error a class with methods
defineEvents({ a: typeOnly<Money>() });
// @ts-expect-error what JSON makes something else of
defineEvents({ a: typeOnly<URL>() });
// @ts-expect-error undefined has no JSON
defineEvents({ a: z.string().optional() });
// @ts-expect-error undefined becomes null in a list
defineEvents({ a: z.object({ tags: z.array(z.string().optional()) }) });
// @ts-expect-error in a member
defineEvents({ a: z.object({ at: z.date() }) });
// @ts-expect-error in an optional member
defineEvents({ a: z.object({ at: z.date().optional() }) });
// @ts-expect-error in a union
defineEvents({ a: z.object({ at: z.union([z.string(), z.date()]) }) });
// @ts-expect-error in a list
defineEvents({ a: z.object({ at: z.array(z.date()) }) });
// @ts-expect-error in a tuple
defineEvents({ a: typeOnly<[string, Date]>() });
// @ts-expect-error in a record
defineEvents({ a: z.record(z.string(), z.date()) });
// @ts-expect-error in a union of objects
defineEvents({ a: typeOnly<{ t: "a" } | { t: "b"; at: Date } | null>() });
// @ts-expect-error in a recursive type
defineEvents({ a: typeOnly<Tree & { more: Widening<bigint> }>() });
// @ts-expect-error eight levels down, as deep as the compiler looks
defineEvents({ a: typeOnly<{ a: { a: { a: { a: { a: { a: { a: { a: Date } } } } } } } }>() });
// @ts-expect-error one of several
defineEvents({ a: z.string(), b: z.date() });
