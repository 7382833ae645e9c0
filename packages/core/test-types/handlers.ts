// What a handler is handed, and what it may return.
import { type EventContext, type OutputEvent, PapaApp, typeOnly, useCase } from "@papa-events/core";
import { expectTypeOf } from "vitest";
import { z } from "zod";
import { app, type CreatedOutput, plain, transport } from "./events.ts";

type Deleted = { id: string };
type Address = { city?: string | undefined };

// Without schema and catalogue.
plain.onEvent("user.created", { useCase: "1" }, (payload, ctx) => {
  expectTypeOf(payload).toEqualTypeOf<unknown>();
  expectTypeOf(ctx).toEqualTypeOf<EventContext>();
});
expectTypeOf<EventContext>().toEqualTypeOf<EventContext<string, unknown>>();

// A schema's output.
const Age = z.object({ age: z.string().transform(Number) });
plain.onEvent(["user.created", "user.*"], { useCase: "2", schema: Age, retries: 3 }, (payload, ctx) => {
  expectTypeOf(payload).toEqualTypeOf<{ age: number }>();
  expectTypeOf(ctx.payload).toEqualTypeOf<{ age: number }>();
  expectTypeOf(ctx.eventName).toEqualTypeOf<string>();
});

// A name of the catalogue, in all spellings.
app.onEvent("user.created", { useCase: "3" }, (payload, ctx) => {
  expectTypeOf(payload).toEqualTypeOf<CreatedOutput>();
  expectTypeOf(ctx).toEqualTypeOf<EventContext<"user.created", CreatedOutput>>();
});
app.onEvent(
  ["user.created"],
  { useCase: "4" },
  (payload) => expectTypeOf(payload).toEqualTypeOf<CreatedOutput>() && undefined,
);
const names = ["user.created", "email.sent"] as const;
app.onEvent(names, { useCase: "5" }, (payload, ctx) => {
  expectTypeOf(payload).toEqualTypeOf<CreatedOutput | { to: string }>();
  expectTypeOf(ctx.eventName).toEqualTypeOf<"user.created" | "email.sent">();
});

// Wildcards give a union that the event's name tells apart.
app.onEvent("user.*", { useCase: "6" }, (payload, ctx) => {
  expectTypeOf(payload).toEqualTypeOf<CreatedOutput | Deleted>();
  expectTypeOf(ctx.payload).toEqualTypeOf<CreatedOutput | Deleted>();
  if (ctx.eventName === "user.created") expectTypeOf(ctx.payload).toEqualTypeOf<CreatedOutput>();
  else expectTypeOf(ctx).toEqualTypeOf<EventContext<"user.deleted", Deleted>>();
});
app.onEvent("#", { useCase: "7" }, (_payload, ctx) => {
  switch (ctx.eventName) {
    case "user.created":
      return void expectTypeOf(ctx.payload.age).toEqualTypeOf<number>();
    case "user.deleted":
      return void expectTypeOf(ctx.payload).toEqualTypeOf<Deleted>();
    case "user.address.changed":
      return void expectTypeOf(ctx.payload).toEqualTypeOf<Address>();
    case "email.sent":
      return void expectTypeOf(ctx.payload).toEqualTypeOf<{ to: string }>();
    default:
      expectTypeOf(ctx).toEqualTypeOf<never>();
  }
});
app.onEvent(["email.*", "*.address.#"], { useCase: "8" }, async (_payload, { eventName, payload }) => {
  if (eventName === "email.sent") expectTypeOf(payload).toEqualTypeOf<{ to: string }>();
  else expectTypeOf(payload).toEqualTypeOf<Address>();
});

// A pattern that is not known before the program runs may match anything.
declare const fromConfiguration: string;
app.onEvent(fromConfiguration, { useCase: "9" }, (_payload, ctx) => {
  expectTypeOf(ctx.eventName).toEqualTypeOf<keyof typeof import("./events.ts").events>();
});
app.onEvent([fromConfiguration, "email.sent"] as string[], { useCase: "10" }, () => {});
app.onEvent(`user.${fromConfiguration}` as const, { useCase: "11" }, (_payload, ctx) => {
  expectTypeOf(ctx.eventName).toEqualTypeOf<"user.created" | "user.deleted" | "user.address.changed">();
});

// A pattern that matches nothing.
// @ts-expect-error a misspelt word
app.onEvent("usr.*", { useCase: "12" }, () => {});
// @ts-expect-error one of two matches nothing
app.onEvent(["user.*", "usr.created"], { useCase: "13" }, () => {});
// @ts-expect-error too few words
app.onEvent("*", { useCase: "14" }, () => {});
// @ts-expect-error several patterns in one string
app.onEvent("user.created, user.deleted", { useCase: "15" }, () => {});

// A schema of its own sets the catalogue aside, names and payloads.
app.onEvent("#", { useCase: "16", schema: z.unknown() }, (payload, ctx) => {
  expectTypeOf(payload).toEqualTypeOf<unknown>();
  expectTypeOf(ctx).toEqualTypeOf<EventContext>();
});
app.onEvent(["order.*", "user.created"], { useCase: "17", schema: Age }, (payload, ctx) => {
  expectTypeOf(payload).toEqualTypeOf<{ age: number }>();
  expectTypeOf(ctx.eventName).toEqualTypeOf<string>();
});

// Handlers of any shape that fits.
app.onEvent("user.created", { useCase: "18" }, () => {});
app.onEvent("user.created", { useCase: "19" }, async () => {});
app.onEvent("user.created", { useCase: "20" }, ({ name }) => void name);
app.onEvent("user.*", { useCase: "21" }, (_payload: unknown, _ctx: EventContext) => {});
app.onEvent("user.created", { useCase: "22" }, (_user: { name: string }) => {});
declare class Users {
  created(user: CreatedOutput, ctx: EventContext): Promise<void>;
}
declare const users: Users;
app.onEvent("user.created", { useCase: "23" }, users.created);
// @ts-expect-error it needs what the event has not
app.onEvent("user.created", { useCase: "24" }, (_user: { surname: string }) => {});
// @ts-expect-error it handles one of two
app.onEvent("user.*", { useCase: "25" }, (_user: Deleted) => {});
// @ts-expect-error nothing is handed over as a third argument
app.onEvent("user.created", { useCase: "26" }, (_user, _ctx, _more) => {});
// @ts-expect-error no handler
app.onEvent("user.created", { useCase: "27" });
// @ts-expect-error no name of the use case
app.onEvent("user.created", {}, () => {});
// @ts-expect-error no such option
app.onEvent("user.created", { useCase: "28", retry: 3 }, () => {});

// Returned events.
app.onEvent("user.created", { useCase: "30" }, () => ({ name: "email.sent", payload: { to: "a" } }));
app.onEvent("user.created", { useCase: "31" }, async (user) => {
  if (user.age < 18) return;
  if (user.plan === "free") return { name: "email.sent", payload: { to: user.name }, headers: { tenant: "a" } };
  return [
    { name: "email.sent", payload: { to: user.name } },
    { name: "user.created", payload: { name: "b", age: "18", plan: "paid" } },
  ];
});
app.onEvent("user.created", { useCase: "32" }, () => []);
app.onEvent("user.created", { useCase: "33" }, () => undefined);
app.onEvent("#", { useCase: "34", schema: z.unknown() }, () => [{ name: "email.sent", payload: { to: "a" } }]);
plain.onEvent("a", { useCase: "35" }, async () => [{ name: "any.name", payload: 1 }]);
plain.onEvent("a", { useCase: "36" }, (): OutputEvent[] => []);
// @ts-expect-error not in the catalogue
app.onEvent("user.created", { useCase: "40" }, () => [{ name: "email.lost", payload: { to: "a" } }]);
// @ts-expect-error the payload of another event
app.onEvent("user.created", { useCase: "41" }, () => [{ name: "email.sent", payload: { id: "a" } }]);
// @ts-expect-error the schema's output
app.onEvent("user.deleted", { useCase: "42" }, async () => ({
  name: "user.created",
  payload: { name: "b", age: 18, plan: "free" },
}));
// @ts-expect-error no payload
app.onEvent("user.deleted", { useCase: "43" }, async () => ({ name: "email.sent" }));
// @ts-expect-error a number is not an event
app.onEvent("user.deleted", { useCase: "44" }, async () => 1);
// @ts-expect-error null is not an event
app.onEvent("user.deleted", { useCase: "45" }, () => null);
// @ts-expect-error a list in a list
app.onEvent("user.deleted", { useCase: "46" }, () => [[{ name: "email.sent", payload: { to: "a" } }]]);
// @ts-expect-error also with a schema of its own
app.onEvent("#", { useCase: "47", schema: z.unknown() }, () => [{ name: "email.lost", payload: { to: "a" } }]);
// @ts-expect-error without a catalogue, too
plain.onEvent("a", { useCase: "48" }, () => "any.name");

// Use cases as values go into every app, whatever they are sent.
const one = useCase(
  "49",
  { on: "user.created", schema: Age },
  (user) => expectTypeOf(user).toEqualTypeOf<{ age: number }>() && undefined,
);
const other = useCase(
  "50",
  { on: ["a", "b.#"] },
  (payload) => expectTypeOf(payload).toEqualTypeOf<unknown>() && undefined,
);
expectTypeOf(one.handle).parameter(0).toEqualTypeOf<{ age: string }>();
expectTypeOf(other.handle).parameter(0).toEqualTypeOf<unknown>();
expectTypeOf(one.handle({ age: "21" }, { eventName: "user.created", attempt: 2 })).resolves.toEqualTypeOf<
  readonly OutputEvent[]
>();
// @ts-expect-error the schema's output
one.handle({ age: 21 });
app.use(one, [other, one]).use();
plain.use(one).use([other]);
// @ts-expect-error no use case
plain.use({ name: "a" });

// A payload that has all members of another does not vanish in it.
new PapaApp({
  transport,
  events: { a: typeOnly<{ id: string }>(), b: typeOnly<{ id: string; name?: string }>() },
}).onEvent(
  "*",
  { useCase: "51" },
  (payload) => expectTypeOf(payload).toEqualTypeOf<{ id: string } | { id: string; name?: string }>() && undefined,
);
