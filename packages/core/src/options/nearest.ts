/** How far apart two words may be and still be taken for a slip: a third of their letters. */
const MAX_DISTANCE = 1 / 3;
/** With so many letters in common at their beginnings, half of them: `retry` for `retries`. */
const SAME_BEGINNING = 4;
const MAX_DISTANCE_FROM_BEGINNING = 1 / 2;

/** Finds the known word that comes nearest to a mistyped one, if any comes near. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const each of known) {
    const [a, b] = [word.toLowerCase(), each.toLowerCase()];
    const away = distance(a, b);
    const beginsAlike = a.slice(0, SAME_BEGINNING) === b.slice(0, SAME_BEGINNING) && a.length >= SAME_BEGINNING;
    const share = beginsAlike ? MAX_DISTANCE_FROM_BEGINNING : MAX_DISTANCE;
    // A word that begins alike is the likelier one of two.
    const rank = beginsAlike ? away / 2 : away;
    if (rank >= least || away > Math.max(1, Math.max(a.length, b.length) * share)) continue;
    best = each;
    least = rank;
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
