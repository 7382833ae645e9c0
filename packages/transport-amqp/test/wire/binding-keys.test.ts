import { PatternTrie } from "@papa-events/core/transport";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bindingKey, isWidened } from "../../src/wire/binding-keys.ts";

function matches(pattern: string, name: string): boolean {
  const trie = new PatternTrie<true>();
  trie.add(pattern, true);
  return trie.matches(name);
}

const pattern = fc
  .array(fc.constantFrom("a", "b", "*", "#"), { minLength: 1, maxLength: 8 })
  .map((words) => words.join("."));
const name = fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 8 }).map((words) => words.join("."));

test("R1, R4 a binding key has two # at most, lets through all that its pattern matches, and no more unless it is widened", () => {
  fc.assert(
    fc.property(pattern, name, (each, event) => {
      const key = bindingKey(each);
      expect(key.split(".").filter((word) => word === "#").length).toBeLessThanOrEqual(2);
      if (matches(each, event)) expect(matches(key, event)).toBe(true);
      if (!isWidened(each)) expect(matches(key, event)).toBe(matches(each, event));
    }),
    { numRuns: 5_000 },
  );
});

test("R4 the usual patterns are bound as they are", () => {
  for (const each of ["a", "user.*", "#", "#.eu", "a.#.b.#"]) expect(bindingKey(each)).toBe(each);
  expect(bindingKey("#.#.a.#.#")).toBe("#.a.#");
  expect(bindingKey("a.#.b.#.c.#.d")).toBe("a.#.b.#.d");
});
