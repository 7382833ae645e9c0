/** Whether a pattern matches a name: the definition as it is written, for names of a few words. */
export function matches(pattern: string, name: string): boolean {
  return matchWords(pattern.split("."), name.split("."));
}

function matchWords([first, ...rest]: readonly string[], words: readonly string[]): boolean {
  if (first === undefined) return words.length === 0;
  // Zero words or more.
  if (first === "#") return words.some((_, taken) => matchWords(rest, words.slice(taken))) || matchWords(rest, []);
  const [word, ...others] = words;
  return word !== undefined && (first === "*" || first === word) && matchWords(rest, others);
}

/** Whether one of the patterns matches a name. */
export function anyMatches(patterns: Iterable<string>, name: string): boolean {
  for (const pattern of patterns) if (matches(pattern, name)) return true;
  return false;
}
