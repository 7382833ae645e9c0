import { expect, test } from "vitest";
import type { PlacedPage } from "../../src/dead-letters/reader.ts";
import { mergePages } from "../../src/sharding/merge.ts";
import { encoded } from "../support/events.ts";

function page(positions: readonly number[], next?: string): PlacedPage {
  const items = positions.map((position) => ({ id: `${position}`, position, event: encoded("x", position) }));
  return next === undefined ? { items } : { items, next };
}

test("D2 a merged page ends where more of a shard may come next", () => {
  const { items, taken, more } = mergePages([page([1, 4], "4"), page([2, 3, 5, 6]), page([])], "oldest", 10);
  expect(items.map(({ position }) => position)).toEqual([1, 2, 3, 4]);
  expect([taken, more]).toEqual([["4", "3", undefined], true]);
});

test("D2 a merged page has no more than its limit, and says where each shard goes on", () => {
  const { items, taken, more } = mergePages([page([9, 4, 1]), page([8, 2])], "newest", 3);
  expect(items.map(({ position }) => position)).toEqual([9, 8, 4]);
  expect([taken, more]).toEqual([["4", "8"], true]);
});

test("D2 a page without items whose shard goes on is no end", () => {
  const { items, taken, more } = mergePages([page([], "7"), page([8])], "oldest", 3);
  expect(items).toEqual([]);
  expect([taken, more]).toEqual([["7", undefined], true]);
});
