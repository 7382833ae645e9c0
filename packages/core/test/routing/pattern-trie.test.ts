import { describe, expect, it } from "vitest";
import { matcherOf, PatternTrie } from "../../src/routing/pattern-trie.ts";

describe("PatternTrie", () => {
  it("R2 gives a value once, and takes it back when its last pattern goes", () => {
    const trie = new PatternTrie<string>();
    for (const pattern of ["a.*", "a.#", "a.b", "a.b"]) trie.add(pattern, "one");
    expect(trie.match("a.b")).toEqual(["one"]);
    trie.remove("a.*", "one");
    trie.remove("a.#", "one");
    expect(trie.match("a.b")).toEqual(["one"]);
    trie.remove("a.b", "one");
    expect(trie.match("a.b")).toEqual([]);
  });

  it("removing what was never added changes nothing", () => {
    const trie = new PatternTrie<string>();
    trie.add("a.*", "one");
    trie.remove("a.*", "two");
    trie.remove("b.#", "one");
    expect(trie.match("a.b")).toEqual(["one"]);
  });

  it("R4 matches words whole, also those that are called like members of objects", () => {
    const matches = matcherOf(["constructor.*", "__proto__", "toString.#"]);
    expect(["constructor.a", "__proto__", "toString"].map(matches)).toEqual([true, true, true]);
    expect(["constructor", "hasOwnProperty", "valueOf", ""].map(matches)).toEqual([false, false, false, false]);
  });
});
