import { describe, expect, it } from "vitest";
import { parseDuration } from "../../src/index.ts";
import { toMilliseconds } from "../../src/options/duration.ts";
import { thrownBy } from "../support.ts";

describe("durations", () => {
  it.each([
    ["250ms", 250],
    ["10s", 10_000],
    ["5m", 300_000],
    ["2h", 7_200_000],
    ["1.5s", 1_500],
    ["0ms", 0],
    [" 10s\n", 10_000],
    ["2147483647ms", 2_147_483_647],
  ])("%j are %d ms", (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each([
    "",
    "10",
    "s",
    "10 s",
    "10sec",
    "10S",
    "1d",
    "-1s",
    "+1s",
    "1e3ms",
    ".5s",
    "1,5s",
    "NaNs",
    "10s5ms",
    "Infinityms",
    "597h",
  ])("%j is none", (text) => {
    expect(thrownBy(() => parseDuration(text))).toMatchObject({
      code: "invalid-option",
      message: `duration: the string ${JSON.stringify(text)} is not a valid duration; give milliseconds or "250ms", "10s", "5m", "2h", from 0 to 24 days.`,
      details: { option: "duration" },
      retryable: false,
    });
  });

  it.each([
    [Number.NaN, "NaN"],
    [-1, "-1"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    // Node.js would fire a longer timer at once.
    [2_147_483_648, "2147483648"],
    [null, "null"],
    [true, "true"],
    [10n, "10"],
    [{}, "a value of type object"],
    [Object.create(null), "a value of type object"],
  ])("the value %s is none (%#)", (value, shown) => {
    const error = thrownBy(() => toMilliseconds(value as never, 'useCase "log": timeout'));
    expect(error).toMatchObject({ code: "invalid-option", details: { option: 'useCase "log": timeout' } });
    expect(error).toHaveProperty("message", expect.stringContaining(`timeout: ${shown} is not a valid duration`));
  });

  it("numbers are milliseconds", () => {
    expect([toMilliseconds(0, "x"), toMilliseconds(0.5, "x"), toMilliseconds(2_147_483_647, "x")]).toEqual([
      0, 0.5, 2_147_483_647,
    ]);
  });
});
