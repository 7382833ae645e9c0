import { runInNewContext } from "node:vm";
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

describe("D1 errors of another realm", () => {
  it("keep what they say, with their causes", () => {
    const error = runInNewContext('new TypeError("of another realm", { cause: new RangeError("its cause") })') as Error;
    expect(error).not.toBeInstanceOf(Error);
    const { name, message, stack } = errorText(error);
    expect([name, message]).toEqual(["TypeError", "of another realm"]);
    expect(stack).toMatch(/^TypeError: of another realm\n[\s\S]*\ncaused by: RangeError: its cause\n/);
  });
});

describe("D1 an AggregateError", () => {
  it("tells of the errors that it gathers, in its message and its stack", () => {
    const gathered = [new TypeError("first"), new RangeError("second")];
    const { name, message, stack } = errorText(new AggregateError(gathered, "both failed"));
    expect([name, message]).toEqual(["AggregateError", "both failed; first; second"]);
    expect(stack).toContain("TypeError: first\n");
    expect(stack).toContain("RangeError: second\n");
  });

  it("as Promise.any makes it, and with errors that are none", () => {
    expect(errorText(new AggregateError(["a text", { code: 404 }, undefined], "")).message).toBe(
      'a text; {"code":404}; undefined',
    );
  });

  it("tells of those within those it gathers", () => {
    const inner = new AggregateError([new Error("inmost")], "inner");
    expect(errorText(new AggregateError([inner], "outer")).message).toBe("outer; inner; inmost");
  });

  it("of many tells of the first five", () => {
    const many = Array.from({ length: 1_000 }, (_, index) => new Error(`failure ${index}`));
    expect(errorText(new AggregateError(many, "many")).message).toBe(
      "many; failure 0; failure 1; failure 2; failure 3; failure 4",
    );
  });

  it.each([10, 1_000])("nested %d deep, each five times, costs no more than a few of them", (depth) => {
    let error: Error = new Error("leaf");
    for (let level = 0; level < depth; level += 1)
      error = new AggregateError([error, error, error, error, error], `level ${level}`);
    const { message, stack } = errorText(error);
    expect(message).toContain(`level ${depth - 1}; level ${depth - 2}; `);
    expect(message.length).toBeLessThan(10_000);
    expect(stack.length).toBeLessThan(100_000);
  });

  it("that gathers itself ends", () => {
    const error = new AggregateError([], "round");
    const other = new AggregateError([error], "about");
    error.errors.push(error, other);
    expect(errorText(error).message).toMatch(/^round; about; round/);
  });

  it.each([
    ["a circle", circle()],
    ["what throws when it is read", { toJSON: throwing }],
    ["a revoked proxy", revoked()],
    ["an error whose message throws", Object.defineProperty(new Error("x"), "message", { get: throwing })],
  ])("keeps its own message where it gathers %s", (_, odd) => {
    const { name, message } = errorText(new AggregateError([odd, new Error("readable")], "several"));
    expect(name).toBe("AggregateError");
    expect(message).toMatch(/^several; .*readable$/);
  });

  it("any other error with a list of that name is told in the same way", () => {
    const error = Object.assign(new Error("not valid"), { errors: [{ path: "age", message: "too small" }] });
    expect(errorText(error).message).toBe('not valid; {"path":"age","message":"too small"}');
  });
});

function circle(): object {
  const made: Record<string, unknown> = {};
  made.self = made;
  return made;
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
