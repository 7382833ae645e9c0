import { PatternTrie } from "@papa-events/core/transport";
import { expect, test } from "vitest";
import { overlap } from "../../src/wire/pattern-overlap.ts";

/** All sequences of up to so many of these words. */
function sequences(words: readonly string[], most: number): string[] {
  let all = [...words];
  for (let length = 1; length < most; length += 1)
    all = [...new Set([...all, ...all.flatMap((start) => words.map((word) => `${start}.${word}`))])];
  return all;
}

test("R4 two patterns overlap if, and only if, some name matches both", () => {
  // Two words more than a pattern has stand for any number.
  const names = sequences(["a", "b"], 5);
  const patterns = sequences(["a", "b", "*", "#"], 3);
  const matched = patterns.map((pattern) => {
    const trie = new PatternTrie<true>();
    trie.add(pattern, true);
    return new Set(names.filter((name) => trie.matches(name)));
  });
  const wrong: string[] = [];
  for (const [index, one] of patterns.entries())
    for (const [at, other] of patterns.entries()) {
      const inCommon = [...(matched[index] ?? [])].some((name) => matched[at]?.has(name));
      if (overlap(one, other) !== inCommon) wrong.push(`${one} ${other}`);
    }
  expect(wrong).toEqual([]);
});
