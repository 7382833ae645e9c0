/**
 * Whether a pattern matches a name, written for being obviously right: `*` is one word, `#` is zero or more. It shares
 * nothing with the matcher of the core, which it judges.
 */
export function matches(pattern: string, name: string): boolean {
  return matchWords(pattern.split("."), name.split("."));
}

function matchWords(pattern: readonly string[], name: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return name.length === 0;
  if (first === "#") return matchWords(rest, name) || (name.length > 0 && matchWords(pattern, name.slice(1)));
  return name.length > 0 && (first === "*" || first === name[0]) && matchWords(rest, name.slice(1));
}
