/** Tells whether some event name matches both patterns. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [one.split("."), other.split(".")];
  // From behind: whether what is left of both, from these words on, has a name in common.
  let below = b.map((_, at) => onlyHashes(b, at));
  below.push(true);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const row: boolean[] = [];
    row[b.length] = a[i] === "#" && below[b.length] === true;
    for (let j = b.length - 1; j >= 0; j -= 1)
      row[j] =
        a[i] === "#" || b[j] === "#"
          ? below[j] === true || row[j + 1] === true
          : (a[i] === b[j] || a[i] === "*" || b[j] === "*") && below[j + 1] === true;
    below = row;
  }
  return below[0] === true;
}

function onlyHashes(words: readonly string[], from: number): boolean {
  return words.slice(from).every((word) => word === "#");
}
