import { expect, it } from "vitest";
import { ranges } from "../../src/output/words.ts";

it.each([
  [[1], "1"],
  [[1, 2, 3, 5, 1_000], "1-3, 5, 1000"],
  [Array.from({ length: 24 }, (_, index) => index * 2 + 1), "1, 3, 5, 7, 9, 11, 13, 15, 17, 19 and 14 more"],
])("says the numbers of lines in short", (numbers, text) => {
  expect(ranges(numbers)).toBe(text);
});
