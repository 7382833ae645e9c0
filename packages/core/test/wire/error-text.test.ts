import { describe, expect, it } from "vitest";
import { errorText } from "../../src/wire/error-text.ts";

const throwing = () => {
  throw new Error("hands off");
};

describe("D1 what is kept of whatever a handler threw", () => {
  it("an error keeps name, message and stack", () => {
    const error = new RangeError("too far");
    expect(errorText(error)).toEqual({ name: "RangeError", message: "too far", stack: error.stack });
  });

  it("its causes are told with it", () => {
    const cause = new Error("the disk is full");
    const { stack } = errorText(new Error("not saved", { cause: new Error("in between", { cause }) }));
    expect(stack.split("\ncaused by: ").map((each) => each.split("\n")[0])).toEqual([
      "Error: not saved",
      "Error: in between",
      "Error: the disk is full",
    ]);
  });

  it("a circle of causes ends", () => {
    const error = new Error("round");
    error.cause = error;
    expect(errorText(error).stack.split("caused by").length).toBeLessThan(10);
  });

  it.each([
    ["a text", "no", "no"],
    ["nothing", undefined, "undefined"],
    ["null", null, "null"],
    ["a number", 7, "7"],
    ["a bigint", 7n, "7"],
    ["a symbol", Symbol("s"), "Symbol(s)"],
    ["an object", { code: 404 }, '{"code":404}'],
    ["an object without a prototype", Object.create(null), "{}"],
    ["an object whose toJSON gives nothing", { toJSON: () => undefined }, "[object Object]"],
    ["a response, as a fetch wrapper may throw it", new Response("", { status: 404 }), "{}"],
  ])("%s that was thrown is no error, and is told", (_, thrown, message) => {
    expect(errorText(thrown)).toEqual({ name: "NonError", message, stack: "" });
  });

  it.each([
    ["an object that cannot be serialised", { toJSON: throwing }],
    ["a circle", Object.assign([], { 0: [] as unknown[] }).map((_, __, all) => all)],
    ["a proxy", new Proxy({}, { get: throwing, getPrototypeOf: throwing })],
    ["an error with a message that throws", Object.defineProperty(new Error("x"), "message", { get: throwing })],
    ["an error with a name that is no text", Object.assign(new Error("x"), { name: { toString: throwing } })],
    ["a revoked proxy", revoked()],
  ])("%s is told somehow, and nothing throws", (_, thrown) => {
    const text = errorText(thrown);
    expect(Object.values(text).every((each) => typeof each === "string")).toBe(true);
  });

  it("an error without name or stack is told", () => {
    const error = Object.assign(new Error("x"), { name: undefined, stack: undefined });
    expect(errorText(error)).toMatchObject({ name: "undefined", message: "x" });
  });
});

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
