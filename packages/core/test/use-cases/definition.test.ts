import { describe, expect, it } from "vitest";
import { PapaApp, useCase } from "../../src/index.ts";
import { FakeTransport, thrownBy } from "../support.ts";

const handled = (options: object, ...handler: unknown[]) => {
  const given = handler.length === 0 ? () => {} : handler[0];
  return () => useCase("log", { on: "a", ...options } as never, given as never);
};

/** What, where, what to do: in one line. */
function refusal(call: () => unknown): { code: string; message: string; option: string } {
  const { code, message, details } = thrownBy(call) as { code: string; message: string; details: { option: string } };
  return { code, message, option: details.option };
}

describe("the options of a use case", () => {
  it.each<[string, unknown, string]>([
    ["retries", "3", 'the string "3" is not a whole number from 0 to 1000000000'],
    [
      "retryDelay",
      {},
      'a value of type object is not a valid duration; give milliseconds or "250ms", "10s", "5m", "2h", from 0 to 24 days',
    ],
    ["concurrency", 0, "0 is not a whole number from 1 to 1000000000"],
    ["timeout", 0, "a timeout of 0 fails every handler; leave it out for none"],
    [
      "timeout",
      "soon",
      'the string "soon" is not a valid duration; give milliseconds or "250ms", "10s", "5m", "2h", from 0 to 24 days',
    ],
    ["schema", {}, "this is no Standard Schema, such as one of zod 3.24 or newer"],
    ["schema", null, "this is no Standard Schema, such as one of zod 3.24 or newer"],
    ["wrap", [null], "a function (ctx, next) or a list of them is needed"],
  ])("%s: %j is refused", (name, value, problem) => {
    expect(refusal(handled({ [name]: value }))).toEqual({
      code: "invalid-option",
      option: `useCase "log": ${name}`,
      message: `useCase "log": ${name}: ${problem}.`,
    });
  });

  it.each([
    [undefined, "undefined"],
    [{ handle: () => {} }, "object"],
    ["log", "string"],
  ])("a handler of the wrong shape is refused (%#)", (handler, type) => {
    expect(refusal(handled({}, handler))).toEqual({
      code: "invalid-option",
      option: 'useCase "log": handler',
      message: `useCase "log": handler: it is of type ${type}, and a function (payload, ctx) is needed.`,
    });
  });

  it.each<[string, string]>([
    ["maxJobs", "there are on, schema, retries, retryDelay, concurrency, timeout, wrap"],
    ["concurency", 'the nearest known one is "concurrency"'],
  ])("an unknown one, %s, names the nearest known one, or all there are", (name, hint) => {
    expect(refusal(handled({ [name]: 3 })).message).toBe(`useCase "log": unknown option "${name}"; ${hint}.`);
  });

  it.each<[unknown, string, string]>([
    [undefined, "", "at least one pattern is needed"],
    [[], "", "at least one pattern is needed"],
    [["a", "b c"], "b c", 'the word "b c" has a character other than'],
    ["a, b", "a, b", 'write ["a", "b"]'],
    [[["a"]], "a", "it is of type object"],
  ])("the patterns %j are refused", (on, pattern, problem) => {
    const error = thrownBy(handled({ on }));
    expect(error).toMatchObject({ code: "invalid-pattern", details: { pattern } });
    expect(error).toHaveProperty("message", expect.stringContaining(problem));
  });

  it("a pattern given twice counts once, and what is given to it can be changed afterwards", () => {
    const on = ["a", "b", "a"];
    const log = useCase("log", { on }, () => {});
    on.push("c");
    expect(log.patterns).toEqual(["a", "b"]);
  });
});

describe("onEvent", () => {
  const onEvent = (options: unknown) => () =>
    new PapaApp({ transport: new FakeTransport() }).onEvent("a", options as never, () => {});

  it.each([undefined, null, "log"])("takes no %j for options", (options) => {
    expect(refusal(onEvent(options)).message).toBe(
      'onEvent: the second argument is an object of options, such as { useCase: "send_welcome_email" }.',
    );
  });

  it('has its patterns as its first argument, not as "on"', () => {
    expect(refusal(onEvent({ useCase: "log", on: "b" })).message).toBe(
      'onEvent: it has no option "on"; the patterns are its first argument.',
    );
  });

  it.each<[object, string]>([
    [{ usecase: "log" }, 'onEvent: unknown option "usecase"; the nearest known one is "useCase".'],
    [
      { use_case_name: "log" },
      'onEvent: unknown option "use_case_name"; there are useCase, schema, retries, retryDelay, concurrency, timeout, wrap.',
    ],
    [
      { useCase: "log", max_jobs: 5 },
      'useCase "log": unknown option "max_jobs"; there are useCase, schema, retries, retryDelay, concurrency, timeout, wrap.',
    ],
  ])("says which option it does not know, also in place of the name: %j", (options, message) => {
    expect(refusal(onEvent(options)).message).toBe(message);
  });

  it("needs the name of the use case", () => {
    expect(thrownBy(onEvent({}))).toMatchObject({ code: "invalid-use-case" });
  });
});
