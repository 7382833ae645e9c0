import type { Random } from "../random.ts";

/** Few, so that names and patterns meet. */
const WORDS = ["a", "b", "c"] as const;

/** An event name of one to three words. */
export function makeName(random: Random): string {
  return words(random, () => random.pick(WORDS));
}

/** A pattern that may have wildcards. */
function makePattern(random: Random): string {
  return words(random, () => {
    const chance = random.next();
    if (chance < 0.2) return "#";
    return chance < 0.4 ? "*" : random.pick(WORDS);
  });
}

/** One to three patterns; more than one of them may match a name (R2). */
export function makePatterns(random: Random): string[] {
  const patterns = Array.from({ length: random.pick([1, 1, 2, 3]) }, () => makePattern(random));
  return [...new Set(patterns)];
}

function words(random: Random, word: () => string): string {
  return Array.from({ length: random.pick([1, 2, 2, 3]) }, word).join(".");
}
