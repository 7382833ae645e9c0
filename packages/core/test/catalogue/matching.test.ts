import { describe, expect, test } from "vitest";
import { matcherOf } from "../../src/routing/pattern-trie.ts";
import { compile, compilers } from "./compilers.ts";
import { matches } from "./matches.ts";
import { usersProject } from "./users-project.ts";

// test-types/matching.ts holds the types against the same table.
test.each(matches)("R4 pattern %j, name %j: %j", (pattern, name, expected) => {
  expect(matcherOf([pattern])(name)).toBe(expected);
});

/** Every name or pattern of one to `longest` of these words. */
function combinations(words: readonly string[], longest: number): readonly string[] {
  if (longest === 1) return words;
  return [...words, ...combinations(words, longest - 1).flatMap((rest) => words.map((word) => `${word}.${rest}`))];
}

describe.each(compilers)("the types' matcher on %s", (compiler) => {
  test("R4 agrees with that of the run time on all patterns and names of up to four words", async () => {
    const names = combinations(["a", "b"], 4);
    const patterns = combinations(["a", "b", "*", "#"], 4);
    const union = (found: readonly string[]) => found.map((name) => JSON.stringify(name)).join(" | ") || "never";
    const lines = patterns.map(
      (pattern) =>
        `same<NamesMatching<All, ${JSON.stringify(pattern)}>, ${union(names.filter(matcherOf([pattern])))}>();`,
    );
    const project = await usersProject({
      "agree.ts": [
        'import type { TypeOnly } from "@papa-events/core";',
        'import type { NamesMatching } from "../node_modules/@papa-events/core/dist/catalogue/matching.js";',
        `type All = Readonly<Record<${union(names)}, TypeOnly<string>>>;`,
        "declare function same<A, B>(...no: [A] extends [B] ? ([B] extends [A] ? [] : [A]) : [A]): void;",
        ...lines,
        'same<NamesMatching<All, "a.*">, "a.a">();',
      ].join("\n"),
    });
    const { diagnostics } = await compile(compiler, project);
    expect(patterns.length * names.length).toBe(10_200);
    // The last line is a mistake, to show that mistakes are found.
    expect(diagnostics.map(({ line }) => line)).toEqual([lines.length + 5]);
  });
});
