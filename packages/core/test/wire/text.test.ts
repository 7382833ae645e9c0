import { describe, expect, it } from "vitest";
import { cutText } from "../../src/wire/text.ts";

describe("cutting text", () => {
  it.each([
    ["ñññ", 6, "ñññ"],
    ["ñññ", 5, "ññ"],
    ["ñññ", 0, ""],
    ["a🐦", 4, "a"],
    ["a🐦", 5, "a🐦"],
    ["\ud800x", 10, "\ufffdx"],
  ])("%j to %d bytes is %j", (text, bytes, cut) => {
    expect(cutText(text, bytes)).toBe(cut);
  });
});
