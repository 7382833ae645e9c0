/**
 * Whether a pattern matches a name, straight from the definition of the contract: `*` is exactly one word, `#` zero or
 * more. Written without a look at the trie, and too slow for anything but tests.
 */
export function oracle(pattern: string, name: string): boolean {
  return words(pattern.split("."), name.split("."));
}

function words([head, ...rest]: readonly string[], name: readonly string[]): boolean {
  if (head === undefined) return name.length === 0;
  if (head === "#") return words(rest, name) || (name.length > 0 && words(["#", ...rest], name.slice(1)));
  const [word, ...others] = name;
  return word !== undefined && (head === "*" || head === word) && words(rest, others);
}

/** All names or patterns of one to `length` words over an alphabet. */
export function sequences(alphabet: readonly string[], length: number): string[] {
  const all: string[] = [];
  let last = [...alphabet];
  for (let count = 1; count <= length; count += 1) {
    all.push(...last);
    last = last.flatMap((sequence) => alphabet.map((word) => `${sequence}.${word}`));
  }
  return all;
}
