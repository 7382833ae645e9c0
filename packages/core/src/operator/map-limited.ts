/** How many questions a broker is asked at once. */
const MAX_AT_ONCE = 16;

/** Maps with so many calls under way at once; the results are in the order of the items. */
export async function mapLimited<T, R>(items: readonly T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  const rest = items.entries();
  const work = async () => {
    // One iterator for all: each takes the next.
    for (const [index, item] of rest) results[index] = await map(item);
  };
  await Promise.all(Array.from({ length: Math.min(MAX_AT_ONCE, items.length) }, work));
  return results;
}
