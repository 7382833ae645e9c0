import { describe, expect, it } from "vitest";
import {
  assertFunctionOption,
  assertKnownOptions,
  booleanOption,
  integerOption,
} from "../../src/options/check-options.ts";
import { thrownBy } from "../support.ts";

/** Code, option and message of what a call throws. */
function refusal(call: () => unknown): readonly unknown[] {
  const { code, message, details } = thrownBy(call) as { code: string; message: string; details: { option: string } };
  return [code, details.option, message];
}

describe("known options", () => {
  it.each([{}, { limit: 1 }, { limit: undefined, order: "newest" }])("%j are accepted", (options) => {
    expect(() => assertKnownOptions(options, ["limit", "order"], "list")).not.toThrow();
  });

  it.each<[object, string]>([
    [{ limt: 1 }, 'unknown option "limt"; the nearest known one is "limit"'],
    [{ page: 1 }, 'unknown option "page"; there are limit, order'],
    [{ limit: 1, page: undefined }, 'unknown option "page"; there are limit, order'],
    [JSON.parse('{"__proto__": 1}'), 'unknown option "__proto__"; there are limit, order'],
  ])("%j are refused: %s", (options, problem) => {
    expect(refusal(() => assertKnownOptions(options, ["limit", "order"], "list"))).toEqual([
      "invalid-option",
      "list",
      `list: ${problem}.`,
    ]);
  });

  it.each([undefined, null, "limit", 7, true])("%j are none", (options) => {
    expect(refusal(() => assertKnownOptions(options, ["limit", "order"], "list"))[2]).toBe(
      "list: options are an object with limit, order.",
    );
  });
});

describe("an integer", () => {
  it.each([
    [undefined, 7],
    [1, 1],
    [10, 10],
    [5, 5],
  ])("%s gives %d", (value, expected) => {
    expect(integerOption(value, 7, "x", 1, 10)).toBe(expected);
  });

  it.each<[unknown, string]>([
    [0, "0"],
    [11, "11"],
    [1.5, "1.5"],
    [Number.NaN, "NaN"],
    ["5", 'the string "5"'],
    [5n, "5"],
    [null, "null"],
    [[5], "a value of type object"],
  ])("%s is refused, and shown so that its kind is seen", (value, shown) => {
    expect(refusal(() => integerOption(value, 7, "x", 1, 10))).toEqual([
      "invalid-option",
      "x",
      `x: ${shown} is not a whole number from 1 to 10.`,
    ]);
  });
});

it("a boolean is true or false, and nothing that is taken for one", () => {
  expect([booleanOption(undefined, true, "x"), booleanOption(false, true, "x")]).toEqual([true, false]);
  for (const value of ["true", 0, null, {}]) {
    expect(refusal(() => booleanOption(value, true, "x"))[2]).toBe(
      `x: it is of type ${typeof value}, and true or false is needed.`,
    );
  }
});

it("a function may be missing, and is a function where it is not", () => {
  expect(() => assertFunctionOption(undefined, "x")).not.toThrow();
  expect(() => assertFunctionOption(() => {}, "x")).not.toThrow();
  expect(refusal(() => assertFunctionOption(null, "x"))[2]).toBe("x: it is of type object, and a function is needed.");
});
