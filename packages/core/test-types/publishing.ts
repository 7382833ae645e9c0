// newEvent and newEvents: any name and payload without a catalogue, its names and its schemas' inputs with one.
import { type EventIn, type NameIn, PapaApp, type PayloadIn, type Published } from "@papa-events/core";
import { expectTypeOf } from "vitest";
import { app, type CreatedInput, type Events, events, plain, transport } from "./events.ts";

expectTypeOf(plain.newEvent("any.name", { any: "payload" })).resolves.toEqualTypeOf<Published>();
expectTypeOf(
  plain.newEvents([
    { name: "a", payload: 1 },
    { name: "b", payload: null, headers: { a: "b" } },
  ]),
).resolves.toEqualTypeOf<Published[]>();
expectTypeOf<Published>().toEqualTypeOf<{ readonly id: string }>();

app.newEvent("user.created", { name: "carlos", age: "21", plan: "free" });
app.newEvent("user.deleted", { id: "1" }, { headers: { tenant: "a" }, id: "abc" });
app.newEvent("user.address.changed", {});
app.newEvents([
  { name: "user.deleted", payload: { id: "1" } },
  { name: "user.created", payload: { name: "carlos", age: "21", plan: "paid" }, headers: { tenant: "a" } },
]);
app.newEvents([]);

// @ts-expect-error no such name
app.newEvent("user.renamed", { id: "1" });
// @ts-expect-error a pattern is no name
app.newEvent("user.*", { id: "1" });
// @ts-expect-error the age is that of the output
app.newEvent("user.created", { name: "carlos", age: 21, plan: "free" });
// @ts-expect-error the payload of another event
app.newEvent("user.created", { id: "1" });
// @ts-expect-error a member that the event has not
app.newEvent("user.deleted", { id: "1", name: "carlos" });
// @ts-expect-error no payload
app.newEvent("user.deleted");
// @ts-expect-error the payload of another event
app.newEvents([{ name: "user.deleted", payload: { to: "a" } }]);
// @ts-expect-error no such name
app.newEvents([{ name: "user.renamed", payload: { id: "1" } }]);
// @ts-expect-error a member that events have not
app.newEvents([{ name: "user.deleted", payload: { id: "1" }, header: {} }]);
// @ts-expect-error headers are strings
app.newEvent("user.deleted", { id: "1" }, { headers: { tenant: 1 } });
// @ts-expect-error a list is needed
app.newEvents({ name: "user.deleted", payload: { id: "1" } });

// Reserved until scheduling and ordering come.
// @ts-expect-error delay
plain.newEvent("a", 1, { delay: "10s" });
// @ts-expect-error key
plain.newEvent("a", 1, { key: "k" });
// @ts-expect-error no such option
plain.newEvent("a", 1, { header: {} });

// What users name in their own signatures.
expectTypeOf<NameIn<Events>>().toEqualTypeOf<"user.created" | "user.deleted" | "user.address.changed" | "email.sent">();
expectTypeOf<NameIn<undefined>>().toEqualTypeOf<string>();
expectTypeOf<PayloadIn<Events, "user.created">>().toEqualTypeOf<CreatedInput>();
expectTypeOf<PayloadIn<Events, "user.deleted" | "email.sent">>().toEqualTypeOf<{ id: string } | { to: string }>();
expectTypeOf<PayloadIn<undefined, "user.created">>().toEqualTypeOf<unknown>();
expectTypeOf<EventIn<Events, "email.sent">["payload"]>().toEqualTypeOf<{ to: string }>();
expectTypeOf<EventIn<Events>["name"]>().toEqualTypeOf<NameIn<Events>>();
expectTypeOf<EventIn<undefined>>().toEqualTypeOf<EventIn<undefined, string>>();

/** Generic over a name of the catalogue. */
export function publish<N extends NameIn<Events>>(name: N, payload: PayloadIn<Events, N>): Promise<Published> {
  return app.newEvent(name, payload);
}
publish("user.deleted", { id: "1" });
// @ts-expect-error the payload of another event
publish("user.deleted", { to: "a" });

/** A function that takes the app, and one that takes its events. */
export const withApp = (given: PapaApp<Events>, list: readonly EventIn<Events>[]) => given.newEvents(list);
withApp(app, [{ name: "user.deleted", payload: { id: "1" } }]);
withApp(new PapaApp({ transport, events: { ...events } }), []);
// @ts-expect-error an app with another catalogue
withApp(plain, []);

/** Events made before they are published keep what they are. */
export const batch: EventIn<Events>[] = ["a", "b"].map((id) => ({ name: "user.deleted", payload: { id } }));
app.newEvents(batch);
