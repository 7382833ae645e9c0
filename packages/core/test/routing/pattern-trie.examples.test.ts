import { describe, expect, it } from "vitest";
import { matcherOf, PatternTrie } from "../../src/routing/pattern-trie.ts";
import { oracle } from "./oracle.ts";

function trieOf(...pairs: readonly (readonly [pattern: string, value: string])[]): PatternTrie<string> {
  const trie = new PatternTrie<string>();
  for (const [pattern, value] of pairs) trie.add(pattern, value);
  return trie;
}

describe("R4 what patterns match, written out", () => {
  it.each([
    ["user.#", "user", true],
    ["user.#", "user.created.eu", true],
    ["user.*", "user", false],
    ["user.*", "user.created", true],
    ["user.*", "user.created.eu", false],
    ["#", "user", true],
    ["*", "user.created", false],
    ["#.eu", "eu", true],
    ["*.#", "user", true],
    ["#.*", "user", true],
    ["a.#.b", "a.b", true],
    ["a.#.b", "a.c.d.b", true],
    ["a.#.b", "a.b.c", false],
    ["#.#", "a", true],
    ["#.a.#.a.#", "a.b", false],
    ["#.a.#.a.#", "b.a.b.a", true],
  ])("%s and %s", (pattern, name, expected) => {
    expect(matcherOf([pattern])(name)).toBe(expected);
    // What the truth table is held against.
    expect(oracle(pattern, name)).toBe(expected);
  });

  it("a wildcard in a name is a plain word", () => {
    expect([matcherOf(["a.b"])("a.#"), matcherOf(["a.*"])("a.#")]).toEqual([false, true]);
  });
});

describe("adding to and removing from a trie", () => {
  it("is empty at first", () => {
    expect([trieOf().match("a"), trieOf().matches("a")]).toEqual([[], false]);
  });

  it("R2 gives a value once in each walk", () => {
    const trie = trieOf(["a.b", "x"], ["a.*", "x"], ["#", "x"], ["*.b", "x"], ["#.b.#", "x"], ["*.*", "y"]);
    expect(trie.match("a.b").sort()).toEqual(["x", "y"]);
    expect(trie.match("a.b").sort()).toEqual(["x", "y"]);
  });

  it("takes one pair back and leaves the others", () => {
    const trie = trieOf(["a.*", "x"], ["a.b", "x"], ["a.*", "y"]);
    trie.remove("a.*", "x");
    expect(trie.match("a.c")).toEqual(["y"]);
    expect(trie.match("a.b").sort()).toEqual(["x", "y"]);
  });

  it("has a pair once, however often it was added", () => {
    const trie = trieOf(["a", "x"], ["a", "x"]);
    trie.remove("a", "x");
    expect(trie.match("a")).toEqual([]);
  });

  it("can have a pair again", () => {
    const trie = trieOf(["#", "x"]);
    trie.remove("#", "x");
    trie.add("#", "x");
    expect(trie.match("a")).toEqual(["x"]);
  });

  // They match the same names. As bindings of a use case they are two, and a deploy may withdraw one of them (R6).
  it("keeps a.# when a.#.# is taken back", () => {
    const trie = trieOf(["a.#", "x"], ["a.#.#", "x"]);
    trie.remove("a.#.#", "x");
    expect(trie.match("a.b")).toEqual(["x"]);
  });
});

it("work grows with words and patterns, not exponentially with #", () => {
  const many = ["#", "a", "#", "b", "#", "a", "#", "b", "#", "a"];
  const trie = new PatternTrie<number>();
  for (let words = 1; words <= many.length; words += 1) trie.add(many.slice(0, words).join("."), words);
  // Far more words than the grammar allows, such as a stranger may send: a backtracking matcher needs minutes for each.
  const long = Array.from({ length: 401 }, (_, place) => (place % 2 === 0 ? "a" : "b")).join(".");
  const began = performance.now();
  // All that end in `#`, and the two that end in `.a`.
  for (let times = 0; times < 20; times += 1) expect(trie.match(long).sort()).toEqual([1, 10, 2, 3, 5, 6, 7, 9]);
  expect(performance.now() - began).toBeLessThan(5_000);
});
