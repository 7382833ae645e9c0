import { describe, expect, it } from "vitest";
import { assertEventName } from "../../src/routing/event-name.ts";
import { thrownBy } from "../support.ts";

const tenWords = "a.b.c.d.e.f.g.h.i.j";

describe("P5 event names", () => {
  it.each(["a", "user.created", "A-z_0.9", "-", "constructor", "__proto__", tenWords, "x".repeat(200)])(
    "%s is one",
    (name) => {
      expect(() => assertEventName(name)).not.toThrow();
    },
  );

  it.each<[unknown, string]>([
    ["", "it is empty"],
    ["user..created", 'it has an empty word; words are joined by single dots, as in "user.created"'],
    ["user.", 'it has an empty word; words are joined by single dots, as in "user.created"'],
    ["user.*", 'the wildcard "*" belongs in a pattern; an event has a full name'],
    ["#", 'the wildcard "#" belongs in a pattern; an event has a full name'],
    ["user created", 'the word "user created" has a character other than A-Z, a-z, 0-9, "_" and "-"'],
    ["user.creado/a", 'the word "creado/a" has a character other than A-Z, a-z, 0-9, "_" and "-"'],
    ["ñ", 'the word "ñ" has a character other than A-Z, a-z, 0-9, "_" and "-"'],
    ["a\n", 'the word "a\\n" has a character other than A-Z, a-z, 0-9, "_" and "-"'],
    [`${tenWords}.k`, "it has 11 words, and 10 are allowed"],
    ["x".repeat(201), "it has 201 bytes, and 200 are allowed"],
    [undefined, "it is of type undefined, and a string is needed"],
    [["user.created"], "it is of type object, and a string is needed"],
  ])("%j is none", (name, problem) => {
    const shown = String(name);
    expect(thrownBy(() => assertEventName(name))).toMatchObject({
      code: "invalid-event-name",
      message: `${JSON.stringify(shown)} is not a valid event name: ${problem}.`,
      details: { name: shown, problem },
    });
  });

  // Such as a request's JSON may hold where a name is expected.
  it.each([{ toString: 1, valueOf: 1 }, Object.create(null)])("an object without a text is none (%#)", (name) => {
    expect(thrownBy(() => assertEventName(name))).toMatchObject({ code: "invalid-event-name" });
  });

  it("ten thousand good names do not make a bad one good", () => {
    for (let index = 0; index < 10_001; index += 1) assertEventName(`name-${index}`);
    expect(thrownBy(() => assertEventName("a..b"))).toMatchObject({ code: "invalid-event-name" });
  });
});
