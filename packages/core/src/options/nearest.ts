/** How far apart two words may be and still be taken for a slip: a third of their letters. */
const MAX_DISTANCE = 1 / 3;

/** Finds the known word that comes nearest to a mistyped one, if any comes near. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const each of known) {
    const away = distance(word.toLowerCase(), each.toLowerCase());
    if (away >= least || away > Math.max(1, Math.max(word.length, each.length) * MAX_DISTANCE)) continue;
    best = each;
    least = away;
  }
  return best;
}

/** Counts the letters to insert, delete or replace (Levenshtein), a row of the table at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
