import { describe, expect, it } from "vitest";
import { assertPattern } from "../../src/routing/pattern.ts";
import { thrownBy } from "../support.ts";

const tenWords = "a.b.c.d.e.f.g.h.i.j";

describe("patterns", () => {
  it.each(["a", "#", "*", "user.*", "#.a.#", "*.*.#.x", "#.#.#.#.#.#.#.#.#.#", "x".repeat(200)])(
    "%s is one",
    (pattern) => {
      expect(() => assertPattern(pattern)).not.toThrow();
    },
  );

  it.each<[unknown, string]>([
    ["", "it is empty"],
    ["a..#", 'it has an empty word; words are joined by single dots, as in "user.created"'],
    ["user*", 'in the word "user*" a wildcard stands beside other characters; "*" and "#" each are a whole word'],
    ["user.**", '"**" is another broker\'s wildcard; for any number of words write "#", as in "user.#"'],
    ["user.>", '">" is another broker\'s wildcard; for any number of words write "#", as in "user.#"'],
    [
      "user.created, user.deleted",
      'several patterns go into a list, not into one string; write ["user.created", "user.deleted"]',
    ],
    ["a,b", 'several patterns go into a list, not into one string; write ["a", "b"]'],
    [`${tenWords}.#`, "it has 11 words, and 10 are allowed"],
    ["x".repeat(201), "it has 201 bytes, and 200 are allowed"],
    [/user/, "it is of type object, and a string is needed"],
  ])("%s is none", (pattern, problem) => {
    expect(thrownBy(() => assertPattern(pattern))).toMatchObject({
      code: "invalid-pattern",
      message: `${JSON.stringify(String(pattern))} is not a valid pattern: ${problem}.`,
      details: { pattern: String(pattern), problem },
    });
  });

  // Such as a request's JSON may hold where a name is expected.
  it.each([{ toString: 1, valueOf: 1 }, Object.create(null)])("an object without a text is none (%#)", (name) => {
    expect(thrownBy(() => assertPattern(name))).toMatchObject({ code: "invalid-pattern" });
  });
});
