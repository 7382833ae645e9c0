import { PatternTrie } from "@papa-events/core/transport";
import type { Benchmark, Work } from "../benchmark.ts";

const WORDS = ["user", "order", "invoice", "email", "created", "updated", "deleted", "eu", "us", "test"];

/** 10,000 different patterns as services write them: most literal, some with `*`, a few with `#`. */
function manyPatterns(): string[] {
  const patterns = new Set<string>();
  for (let index = 0; patterns.size < 10_000; index += 1) {
    const words = [word(index), `w${index % 997}`, word(index >> 2), word(index >> 4)];
    if (index % 5 === 0) words[1] = "*";
    if (index % 50 === 0) words[3] = "#";
    if (index % 250 === 0) words[0] = "#";
    words.push(`s${index}`);
    patterns.add(words.join("."));
  }
  return [...patterns];
}

function word(index: number): string {
  return WORDS[Math.abs(index) % WORDS.length] ?? "";
}

/** Matches names that were not seen before, so that no cache helps. */
function matching(name: (index: number) => string): () => Promise<Work> {
  return async () => {
    const trie = new PatternTrie<number>();
    for (const [index, pattern] of manyPatterns().entries()) trie.add(pattern, index);
    let found = 0;
    return {
      run: async (count) => {
        for (let index = 0; index < count; index += 1) found += trie.match(name(index)).length;
        if (found === -1) throw new Error("never: keeps the work from being left out");
      },
    };
  };
}

/** The routing of a name against 10,000 patterns. The bar: under 10 us for a match, under 2 us for a name nobody wants. */
export const matcher: Benchmark = {
  name: "matcher",
  title: "10,000 patterns, a name never seen before",
  count: 300_000,
  unit: "matches",
  contenders: [
    {
      name: "a name that patterns match",
      prepare: matching((index) => `user.w${index % 997}.order.invoice.s${index % 10_000}`),
    },
    { name: "a name that nobody wants", prepare: matching((index) => `nobody.wants.this${index}`) },
    { name: "ten words", prepare: matching((index) => `user.a.b.c.d.e.f.g.h.s${index % 10_000}`) },
  ],
};
