import { PapaError } from "../errors/papa-error.ts";
import { shown } from "../errors/shown.ts";
import { problemOfWord, problemOfWords } from "./event-name.ts";

const WORD = /^(?:[A-Za-z0-9_-]+|\*|#)$/;

/**
 * Checks a pattern: an event name in which a word may be `*` (exactly one word) or `#` (zero or more words).
 *
 * @throws PapaError `invalid-pattern`
 */
export function assertPattern(pattern: unknown): asserts pattern is string {
  const problem = problemOfPattern(pattern);
  if (problem === undefined) return;
  const given = shown(pattern);
  throw new PapaError("invalid-pattern", `${JSON.stringify(given)} is not a valid pattern: ${problem}.`, {
    pattern: given,
    problem,
  });
}

function problemOfPattern(pattern: unknown): string | undefined {
  if (typeof pattern !== "string") return `it is of type ${typeof pattern}, and a string is needed`;
  if (pattern.includes(",")) {
    const parts = pattern.split(",").map((part) => JSON.stringify(part.trim()));
    return `several patterns go into a list, not into one string; write [${parts.join(", ")}]`;
  }
  return problemOfWords(pattern, (word) => {
    if (WORD.test(word)) return undefined;
    if (word === "**" || word === ">")
      return `${JSON.stringify(word)} is another broker's wildcard; for any number of words write "#", as in ${JSON.stringify(pattern.replaceAll(/\*\*|>/g, "#"))}`;
    if (/[*#]/.test(word))
      return `in the word ${JSON.stringify(word)} a wildcard stands beside other characters; "*" and "#" each are a whole word`;
    return problemOfWord(word);
  });
}
