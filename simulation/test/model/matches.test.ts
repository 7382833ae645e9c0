import { PatternTrie } from "@papa-events/core/transport";
import { describe, expect, it } from "vitest";
import { matches } from "../../src/model/matches.ts";

function* sequences(words: readonly string[], most: number): Iterable<string> {
  let last: readonly string[] = words;
  for (let length = 1; length <= most; length += 1) {
    yield* last;
    last = last.flatMap((sequence) => words.map((word) => `${sequence}.${word}`));
  }
}

describe("the model's own matcher", () => {
  it.each([
    ["user.#", "user", true],
    ["user.#", "user.created.eu", true],
    ["user.*", "user", false],
    ["*.created", "user.created", true],
    ["#.created", "created", true],
    ["#", "anything.at.all", true],
    ["a.#.b", "a.b", true],
    ["a.#.b", "a.c", false],
  ])("%s and %s: %s", (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected);
  });

  it("agrees with the core's, which was written apart, on all short patterns and names", () => {
    const differing: string[] = [];
    for (const pattern of sequences(["a", "b", "*", "#"], 3)) {
      const trie = new PatternTrie<true>();
      trie.add(pattern, true);
      for (const name of sequences(["a", "b"], 4))
        if (trie.matches(name) !== matches(pattern, name)) differing.push(`${pattern} ${name}`);
    }
    expect(differing).toEqual([]);
  });
});
