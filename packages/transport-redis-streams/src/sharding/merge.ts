import type { DeadLetterQuery } from "@papa-events/core/transport";
import type { PlacedDeadLetter, PlacedPage } from "../dead-letters/reader.ts";

type Order = DeadLetterQuery["order"];

/** Pages merged to one. */
export interface MergedPages {
  readonly items: readonly PlacedDeadLetter[];
  /** The position of the last item taken of each page; none where none was. */
  readonly taken: readonly (string | undefined)[];
  /** Whether anything is left. */
  readonly more: boolean;
}

/** Makes one page of the pages of several shards. It ends where a shard's page ends and more of it follow, which may come next. */
export function mergePages(pages: readonly PlacedPage[], order: Order, limit: number): MergedPages {
  const at = pages.map(() => 0);
  const items: PlacedDeadLetter[] = [];
  while (items.length < limit) {
    const heads = pages.map((page, index) => page.items[at[index] ?? 0]);
    if (heads.some((head, index) => head === undefined && pages[index]?.next !== undefined)) break;
    const first = indexOfFirst(heads, order);
    const head = first === undefined ? undefined : heads[first];
    if (first === undefined || head === undefined) break;
    items.push(head);
    at[first] = (at[first] ?? 0) + 1;
  }
  const taken = pages.map((page, index) => {
    const count = at[index] ?? 0;
    // A page that was empty may still say where the next one begins.
    if (count === page.items.length && page.next !== undefined) return page.next;
    const last = page.items[count - 1];
    return last === undefined ? undefined : String(last.position);
  });
  const more = pages.some((page, index) => page.next !== undefined || (at[index] ?? 0) < page.items.length);
  return { items, taken, more };
}

/** Goes through what several shards give, each in order, as one in order. */
export async function* mergeSorted(
  all: readonly AsyncGenerator<PlacedDeadLetter, void, void>[],
  order: Order,
): AsyncGenerator<PlacedDeadLetter, void, void> {
  try {
    const next = async (each: AsyncGenerator<PlacedDeadLetter, void, void> | undefined) => (await each?.next())?.value;
    const heads = await Promise.all(all.map(async (each) => (await next(each)) ?? undefined));
    for (;;) {
      const first = indexOfFirst(heads, order);
      const head = first === undefined ? undefined : heads[first];
      if (first === undefined || head === undefined) return;
      yield head;
      heads[first] = (await next(all[first])) ?? undefined;
    }
  } finally {
    await Promise.all(all.map((each) => each.return()));
  }
}

function indexOfFirst(heads: readonly (PlacedDeadLetter | undefined)[], order: Order): number | undefined {
  let first: number | undefined;
  for (const [index, head] of heads.entries()) {
    const best = first === undefined ? undefined : heads[first];
    if (head === undefined) continue;
    if (best === undefined || (order === "oldest" ? head.position < best.position : head.position > best.position))
      first = index;
  }
  return first;
}
