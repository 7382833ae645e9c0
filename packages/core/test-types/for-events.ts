// forEvents: use cases and events typed by a catalogue, in modules without an app.
import { type EventContext, forEvents, type OutputEvent, type UseCase } from "@papa-events/core";
import { expectTypeOf } from "vitest";
import { z } from "zod";
import { app, type CreatedInput, type CreatedOutput, events, plain } from "./events.ts";

// Exported, as modules do: their types have names.
export const { useCase, event } = forEvents(events);
export const typed = forEvents(events);

const log = useCase("1", { on: ["user.*"], retries: 3 }, async (payload, ctx) => {
  expectTypeOf(payload).toEqualTypeOf<CreatedOutput | { id: string }>();
  if (ctx.eventName === "user.deleted") expectTypeOf(ctx.payload).toEqualTypeOf<{ id: string }>();
  return [event("email.sent", { to: "a" }), event("user.deleted", { id: "1" }, { headers: { tenant: "a" } })];
});
expectTypeOf(log).toEqualTypeOf<UseCase<CreatedInput | { id: string }>>();
log.handle({ id: "1" }, { eventName: "user.deleted" });
// @ts-expect-error the payload of another event
log.handle({ to: "a" });

const audit = useCase("2", { on: "#", schema: z.unknown() }, (payload, ctx) => {
  expectTypeOf(payload).toEqualTypeOf<unknown>();
  expectTypeOf(ctx).toEqualTypeOf<EventContext>();
});
expectTypeOf(audit).toEqualTypeOf<UseCase<unknown>>();
useCase("3", { on: "order.*", schema: z.object({ id: z.string() }) }, ({ id }) => void id);
app.use(log, audit);
plain.use([log, audit]);

expectTypeOf(event("email.sent", { to: "a" })).toEqualTypeOf<OutputEvent<"email.sent", { to: string }>>();
app.onEvent("user.created", { useCase: "4" }, (user) => event("email.sent", { to: user.name }));
app.newEvents([event("email.sent", { to: "a" })]);

// @ts-expect-error no event matches
useCase("5", { on: "usr.*" }, () => {});
// @ts-expect-error one of two matches none
useCase("6", { on: ["user.*", "usr.*"] }, () => {});
// @ts-expect-error not in the catalogue
useCase("7", { on: "user.*" }, () => [{ name: "email.lost", payload: {} }]);
// @ts-expect-error no pattern
useCase("8", {}, () => {});
// @ts-expect-error no such name
event("email.lost", { to: "a" });
// @ts-expect-error the payload of another event
event("email.sent", { id: "a" });
// @ts-expect-error the schema's output
event("user.created", { name: "carlos", age: 21, plan: "free" });
// @ts-expect-error a payload is needed
event("email.sent");
