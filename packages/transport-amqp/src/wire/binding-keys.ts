/** How many `#` RabbitMQ 4.3 takes in one binding key. */
const MAX_HASHES = 2;

/**
 * Makes the key that binds a pattern. Where the pattern has more `#` than the broker takes, the key lets through more than
 * the pattern: what lies between the second and the last is left out.
 */
export function bindingKey(pattern: string): string {
  const words = withoutRepeats(pattern);
  const hashes = words.flatMap((word, index) => (word === "#" ? [index] : []));
  if (hashes.length <= MAX_HASHES) return words.join(".");
  const [second = 0, last = 0] = [hashes[MAX_HASHES - 1], hashes.at(-1)];
  return [...words.slice(0, second + 1), ...words.slice(last + 1)].join(".");
}

/** Whether a pattern's key lets through what the pattern does not match. */
export function isWidened(pattern: string): boolean {
  return withoutRepeats(pattern).filter((word) => word === "#").length > MAX_HASHES;
}

/** Splits a pattern into words; `#.#` matches what `#` matches. */
function withoutRepeats(pattern: string): string[] {
  const words = pattern.split(".");
  return words.filter((word, index) => word !== "#" || words[index - 1] !== "#");
}
