// What a catalogue promises with strictNullChecks and, by loose/tsconfig.json, without.
import {
  type Catalogue,
  defineEvents,
  type EventContext,
  forEvents,
  type NameIn,
  type OutputEvent,
  PapaApp,
  type PayloadIn,
  useCase as plainUseCase,
  typeOnly,
  type UseCase,
} from "@papa-events/core";
import { type ContextOf, decoratorsFor, type PayloadOf, onEvent as plainOnEvent } from "@papa-events/core/decorators";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { z } from "zod";
import { type CreatedInput, type CreatedOutput, plain, transport } from "./events.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** `expectTypeOf` needs `strictNullChecks`. */
declare function same<A, B>(..._: Same<A, B> extends true ? [] : ["not the same", A, B]): void;
type Deleted = { id: string };
type Address = { city?: string | undefined };

/** Zod's own types make a member optional here that is transformed. */
declare const created: StandardSchemaV1<CreatedInput, CreatedOutput>;
const events = defineEvents({
  "user.created": created,
  "user.deleted": typeOnly<Deleted>(),
  "user.address.changed": z.object({ city: z.string().optional() }),
  "email.sent": z.object({ to: z.string() }),
});
type Events = typeof events;
const app = new PapaApp({ transport, events });

// Without a catalogue: any name, any payload.
plain.newEvent("any.name", { any: "payload" });
plain.newEvents([{ name: "a", payload: 1 }]);
plain.onEvent(["user.*", "#"], { useCase: "1" }, (payload, ctx) => {
  same<typeof payload, unknown>();
  same<typeof ctx, EventContext>();
  return [{ name: "any.name", payload: 1 }];
});
plain.onEvent("#", { useCase: "2", schema: events["user.created"] }, (payload, ctx) => {
  same<typeof payload, CreatedOutput>();
  same<typeof ctx, EventContext<string, CreatedOutput>>();
});
const untyped = plainUseCase("3", { on: "#" }, (payload) => same<typeof payload, unknown>());
same<typeof untyped, UseCase<unknown>>();
const own = plainUseCase("4", { on: "#", schema: z.string().transform(Number) }, (n) => same<typeof n, number>());
same<typeof own, UseCase<string>>();
same<NameIn<undefined>, string>();
same<PayloadIn<undefined, "a">, unknown>();
// @ts-expect-error no event
plain.onEvent("a", { useCase: "5" }, () => "any.name");
// @ts-expect-error no schema
plain.onEvent("a", { useCase: "6", schema: {} }, () => {});
// @ts-expect-error no such option
new PapaApp({ transport, retryDelays: "10s" });

// With one.
app.newEvent("user.created", { name: "carlos", age: "21", plan: "free" });
app.newEvents([{ name: "user.deleted", payload: { id: "1" } }]);
app.onEvent("user.created", { useCase: "10" }, (payload, ctx) => {
  same<typeof payload, CreatedOutput>();
  same<typeof ctx, EventContext<"user.created", CreatedOutput>>();
  return { name: "email.sent", payload: { to: payload.name } };
});
app.onEvent("user.*", { useCase: "11" }, async (payload, ctx) => {
  same<typeof payload, CreatedOutput | Deleted>();
  if (ctx.eventName === "user.deleted") same<typeof ctx.payload, Deleted>();
  return [{ name: "email.sent", payload: { to: "a" } }];
});
app.onEvent(["user.address.#", "email.sent"], { useCase: "12" }, (payload, ctx) => {
  same<typeof payload, Address | { to: string }>();
  same<typeof ctx.eventName, "user.address.changed" | "email.sent">();
});
app.onEvent("#", { useCase: "13" }, (_payload, ctx) => same<typeof ctx.eventName, keyof Events>());
app.onEvent("order.*", { useCase: "14", schema: z.unknown() }, (payload, ctx) => {
  same<typeof payload, unknown>();
  same<typeof ctx.eventName, string>();
});
same<NameIn<Events>, keyof Events>();
same<PayloadIn<Events, "user.created">, CreatedInput>();
// @ts-expect-error no such name
app.newEvent("user.renamed", { id: "1" });
// @ts-expect-error the payload of another event
app.newEvent("user.created", { id: "1" });
// @ts-expect-error the age is that of the output
app.newEvents([{ name: "user.created", payload: { name: "carlos", age: 21, plan: "free" } }]);
// @ts-expect-error no event matches
app.onEvent("usr.*", { useCase: "15" }, () => {});
// @ts-expect-error one of two matches none
app.onEvent(["user.*", "usr.*"], { useCase: "16" }, () => {});
// @ts-expect-error not in the catalogue
app.onEvent("user.*", { useCase: "17" }, () => ({ name: "email.lost", payload: {} }));
// @ts-expect-error the payload of another event
app.onEvent("user.*", { useCase: "18" }, async () => [{ name: "email.sent", payload: { id: "a" } }]);

// forEvents.
const { useCase, event } = forEvents(events);
const log = useCase("20", { on: "user.*" }, (payload, ctx) => {
  same<typeof payload, CreatedOutput | Deleted>();
  same<typeof ctx.eventName, "user.created" | "user.deleted">();
  return event("email.sent", { to: "a" });
});
same<typeof log, UseCase<CreatedInput | Deleted>>();
const sent = event("email.sent", { to: "a" });
same<typeof sent, OutputEvent<"email.sent", { to: string }>>();
app.use(log, own);
plain.use([log, untyped]);
// @ts-expect-error no event matches
useCase("21", { on: "usr.*" }, () => {});
// @ts-expect-error the payload of another event
event("email.sent", { id: "a" });

// decoratorsFor.
const { onEvent } = decoratorsFor(events);
export class UserLog {
  @onEvent("user.*", { useCase: "30" })
  log(payload: PayloadOf<Events, "user.*">, ctx: ContextOf<Events, "user.*">) {
    same<typeof payload, CreatedOutput | Deleted>();
    if (ctx.eventName === "user.deleted") same<typeof ctx.payload, Deleted>();
    return event("email.sent", { to: "a" });
  }
  @onEvent("#", { useCase: "31", schema: z.string() })
  text(_payload: string) {}
  @plainOnEvent("#", { useCase: "32" })
  any(_payload: unknown) {}
  // @ts-expect-error no event matches
  @onEvent("usr.*", { useCase: "33" })
  none() {}
  // @ts-expect-error the payload of another event
  @onEvent("user.deleted", { useCase: "34" })
  other(_payload: { to: string }) {}
}

// defineEvents.
defineEvents({
  any: z.any(),
  unknown: z.unknown(),
  null: z.null(),
  object: typeOnly<object>(),
  text: typeOnly<string | null>(),
  optional: typeOnly<{ a?: string; b?: string | undefined; c: readonly (string | null)[] }>(),
  tree: typeOnly<Tree>(),
  "zod.optional": z.object({ a: z.string().optional(), b: z.array(z.string().nullable()) }),
  list: z.array(z.object({ a: z.string() })),
});
interface Tree {
  value: string;
  parent?: Tree;
  children: Tree[];
}
const more = defineEvents({ ...events, "order.sent": typeOnly<{ id: string }>() });
same<keyof typeof more, keyof Events | "order.sent">();
new PapaApp({ transport, events: events as Catalogue }).newEvent("any.name", { any: "payload" });
// @ts-expect-error a wildcard is no name
defineEvents({ "a.*": z.string() });
// @ts-expect-error no schema
defineEvents({ a: { name: "string" } });
// @ts-expect-error Date
defineEvents({ a: z.date() });
// @ts-expect-error in a member
defineEvents({ a: z.object({ at: z.date() }) });
// @ts-expect-error where every member is optional
defineEvents({ a: typeOnly<{ at?: Date; by?: string }>() });
// @ts-expect-error in a list
defineEvents({ a: typeOnly<{ prices: bigint[] }>() });
// @ts-expect-error in a recursive type
defineEvents({ a: typeOnly<Tree & { at: Tree & { on: () => void } }>() });
