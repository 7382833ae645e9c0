import { memory } from "@papa-events/transport-memory";
import { expect, test } from "vitest";
import { z } from "zod";
import { type Catalogue, defineEvents, forEvents, isPapaError, PapaApp, typeOnly } from "../../src/index.ts";
import { thrownBy } from "../support.ts";

const User = z.object({ name: z.string() });

test("defineEvents returns the record as given, so that catalogues combine by spread", () => {
  const users = { "user.created": User };
  expect(defineEvents(users)).toBe(users);
  const deleted = typeOnly<{ id: string }>();
  const all = defineEvents({ ...defineEvents(users), "user.deleted": deleted });
  expect(all).toEqual({ "user.created": User, "user.deleted": deleted });
  expect(defineEvents({})).toEqual({});
});

test("a schema may be a function, as those of some libraries are", () => {
  const schema = Object.assign(() => {}, {
    "~standard": { version: 1, vendor: "test", validate: () => ({ value: 1 }) },
  });
  expect(Object.keys(defineEvents({ a: schema as unknown as typeof User }))).toEqual(["a"]);
});

/** Where a catalogue comes in; types would refuse what is wrong before. */
const places = {
  defineEvents: (events: unknown) => defineEvents(events as Catalogue),
  forEvents: (events: unknown) => forEvents(events as Catalogue),
  "PapaApp: events": (events: unknown) => new PapaApp({ transport: memory(), events: events as Catalogue }),
};

test.each(Object.entries(places))("P5 %s refuses a name that is none", (_place, take) => {
  for (const name of ["", "a b", ".a", "a.", "a..b", "a.*", "#", "año", "a.b.c.d.e.f.g.h.i.j.k", "a".repeat(201)]) {
    expect(() => take({ "user.created": User, [name]: User }), name).toThrow(
      expect.objectContaining({ code: "invalid-event-name", details: expect.objectContaining({ name }) }),
    );
  }
});

test.each(Object.entries(places))("%s refuses what is no schema, and says where", (place, take) => {
  for (const schema of [undefined, null, "string", {}, { type: "object" }, { "~standard": {} }, () => {}]) {
    const error = thrownBy(() => take({ "user.created": User, "user.deleted": schema }));
    expect(isPapaError(error, "invalid-option") && error.details.option).toBe(`${place}: "user.deleted"`);
    expect(error).toMatchObject({ message: expect.stringContaining("Standard Schema") });
  }
});

test.each(Object.entries(places))("%s refuses what is no record", (place, take) => {
  for (const events of [null, "user.created", 1]) {
    const error = thrownBy(() => take(events));
    expect(isPapaError(error, "invalid-option") && error.details.option).toBe(place);
  }
});

test.each<[unknown, string, string]>([
  [{ "user..created": User }, "invalid-event-name", '"user..created" is not a valid event name: it has an empty word'],
  [{ "user.*": User }, "invalid-event-name", 'the wildcard "*" belongs in a pattern'],
  [
    { a: "string" },
    "invalid-option",
    'defineEvents: "a": this is no Standard Schema, such as one of zod 3.24 or newer.',
  ],
  [undefined, "invalid-option", "defineEvents: a schema by event name is needed"],
])("%j is refused in words", (given, code, message) => {
  const error = thrownBy(() => defineEvents(given as never));
  expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
});

test("typeOnly checks nothing at run time", () => {
  const payload = { any: "thing" };
  expect(typeOnly<{ id: string }>()["~standard"].validate(payload)).toEqual({ value: payload });
});
