import { describe, expect, it } from "vitest";
import { matcherOf, PatternTrie } from "../../src/routing/pattern-trie.ts";
import { oracle, sequences } from "./oracle.ts";

const patterns = sequences(["a", "b", "*", "#"], 4);
const names = sequences(["a", "b"], 4);

describe("R4 the truth table", () => {
  it("R4 has all 10,200 pairs of up to four words, and none is wrong, one pattern at a time", () => {
    const wrong: string[] = [];
    let pairs = 0;
    for (const pattern of patterns) {
      const matches = matcherOf([pattern]);
      for (const name of names) {
        pairs += 1;
        if (matches(name) !== oracle(pattern, name)) wrong.push(`${pattern} ${name}`);
      }
    }
    expect(pairs).toBe(10_200);
    expect(wrong).toEqual([]);
  });

  it("R4 is the same with all patterns in one trie, and R2 each value comes once", () => {
    const trie = new PatternTrie<string>();
    for (const pattern of patterns) trie.add(pattern, pattern);
    for (const name of names) {
      expect(trie.match(name).sort()).toEqual(patterns.filter((pattern) => oracle(pattern, name)).sort());
    }
  });
});
