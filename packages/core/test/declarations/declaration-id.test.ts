import fc from "fast-check";
import { expect, test } from "vitest";
import { declarationOf } from "../../src/declarations/declaration-id.ts";

const idOf = (patterns: readonly string[], name = "log") => declarationOf({ name, patterns }).id;

test("a declaration has the use case's name and patterns as they are", () => {
  const patterns = ["user.*", "order.#"];
  expect(declarationOf({ name: "log", patterns })).toEqual({ name: "log", patterns, id: idOf(patterns) });
});

test("equal sets of patterns have equal ids, whatever their order", () => {
  const patterns = fc.uniqueArray(fc.stringMatching(/^[a-z*#.]{1,10}$/), { minLength: 1, maxLength: 5 });
  fc.assert(fc.property(patterns, (given) => idOf(given) === idOf([...given].reverse())));
});

test("different sets have different ids, also where they read alike when joined", () => {
  const sets = [["a"], ["b"], ["a", "b"], ["a.b"], ["ab"], ["a", "b", "c"], ["a.b", "c"], ["a", "b.c"], []];
  expect(new Set(sets.map((set) => idOf(set))).size).toBe(sets.length);
});

// Instances of different versions of the library meet on one broker.
test("the id of a set never changes", () => {
  expect(idOf(["user.created", "user.*"])).toBe("d1d6wGoY3nJw4p-p");
});

test("it travels in any broker's names: 16 characters of base64url", () => {
  expect(idOf(["ü".repeat(200)])).toMatch(/^[A-Za-z0-9_-]{16}$/);
});
