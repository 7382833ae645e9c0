import { describe, expect, it } from "vitest";
import { safe, safeJson, safeJsonLines, safeLines } from "../../src/output/safe-text.ts";

describe("text of events and brokers", () => {
  it.each([
    ["an escape sequence", "\u001b[31mred\u001b]0;title\u0007", "\\x1b[31mred\\x1b]0;title\\x07"],
    ["its one-character form", "\u009b2J", "\\x9b2J"],
    ["line breaks and tabs", "a\nb\r\tc", "a\\nb\\r\\tc"],
    ["what turns the direction of writing", "\u202egpj.exe\u2066", "\\u202egpj.exe\\u2066"],
    ["what is not seen", "a\u200bb\ufeff\u00ad", "a\\u200bb\\ufeff\\xad"],
    ["line separators of Unicode", "a\u2028b\u2029", "a\\u2028b\\u2029"],
    ["tags beyond 16 bits", "\u{e0041}", "\\u{e0041}"],
    ["half of a surrogate pair", "\ud800x", "\\ud800x"],
  ])("shows %s", (_what, text, shown) => {
    expect(safe(text)).toBe(shown);
  });

  it("leaves letters of any language as they are, and emoji whole", () => {
    const text = "señor 東京 العربية 👩‍👩‍👧";
    expect(safe(text)).toBe(text);
  });

  it("keeps the lines of a stack, each of them safe", () => {
    expect(safeLines("Error: a\r\n\tat b\n\u001b[2J")).toEqual(["Error: a", "  at b", "\\x1b[2J"]);
  });

  it("as JSON is harmless and the same value", () => {
    const value = { "\u001b[1m": "\u009b\u202e\u{e0041}\ud800\n", list: ["\u007f"] };
    const lines = [safeJson(value), safeJsonLines(value).join("\n")];
    for (const text of lines) {
      expect(text.replaceAll("\n", "")).toMatch(/^[ -~]*$/);
      expect(JSON.parse(text)).toEqual(value);
    }
  });
});
