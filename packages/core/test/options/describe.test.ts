import { expect, it, describe as suite } from "vitest";
import { describe } from "../../src/options/describe.ts";

suite("an option's value in an error", () => {
  it.each<[unknown, string]>([
    ["5", 'the string "5"'],
    ["", 'the string ""'],
    ['a"b\n', 'the string "a\\"b\\n"'],
    [5, "5"],
    [Number.NaN, "NaN"],
    [true, "true"],
    [null, "null"],
    [undefined, "undefined"],
    [Symbol("s"), "Symbol(s)"],
    [{ a: 1 }, "a value of type object"],
    [["a"], "a value of type object"],
    [() => {}, "a value of type function"],
  ])("%o is %s", (value, text) => {
    expect(describe(value)).toBe(text);
  });

  it.each([
    Object.create(null),
    {
      toString: () => {
        throw new Error("hands off");
      },
    },
    new Proxy(
      {},
      {
        get: () => {
          throw new Error("hands off");
        },
      },
    ),
  ])("what throws when looked at is described all the same (%#)", (value) => {
    expect(describe(value)).toBe("a value of type object");
  });
});
