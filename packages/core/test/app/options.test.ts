import { describe, expect, it } from "vitest";
import { PapaApp, type PapaAppOptions, useCase } from "../../src/index.ts";
import { FakeTransport, thrownBy } from "../support.ts";

const transport = new FakeTransport();
const app = (options: object) => () => new PapaApp({ transport, ...options } as PapaAppOptions);
const handled = (options: object, ...handler: unknown[]) => {
  const given = handler.length === 0 ? () => {} : handler[0];
  return () => useCase("log", { on: "a", ...options } as never, given as never);
};

/** What, where, what to do: in one line. */
function refusal(call: () => unknown): { code: string; message: string; option: string } {
  const { code, message, details } = thrownBy(call) as { code: string; message: string; details: { option: string } };
  return { code, message, option: details.option };
}

describe("the options of an app", () => {
  it.each([
    {},
    { name: "Facturación ñ", concurrency: 1, retries: 0, retryDelay: 0, publishTimeout: 0, drainTimeout: "0s" },
    { maxPayloadBytes: 1, validatePublished: false, declarationGrace: "1s", logger: console, wrap: [] },
    {
      name: undefined,
      events: undefined,
      retries: undefined,
      wrap: undefined,
      container: undefined,
      onRetry: undefined,
    },
  ])("may be %o", (options) => {
    expect(app(options)).not.toThrow();
  });

  it.each<[unknown, string]>([
    [undefined, "a transport is needed, such as memory() or amqp(uri)"],
    [{}, "a transport is needed, such as memory() or amqp(uri)"],
    ["amqp://localhost", "a transport is needed, such as memory() or amqp(uri), or transportFromUri(url) for a URL"],
  ])("the transport %j is refused", (given, problem) => {
    expect(refusal(app({ transport: given }))).toEqual({
      code: "invalid-option",
      option: "PapaApp: transport",
      message: `PapaApp: transport: ${problem}.`,
    });
  });

  it.each<[string, unknown, string]>([
    ["name", "", "a string of 1 to 100 characters is needed"],
    ["name", "x".repeat(101), "a string of 1 to 100 characters is needed"],
    ["name", "a\nb", "a string of 1 to 100 characters is needed"],
    ["name", 7, "a string of 1 to 100 characters is needed"],
    ["concurrency", 0, "0 is no whole number from 1 to 1000000000"],
    ["concurrency", 1.5, "1.5 is no whole number from 1 to 1000000000"],
    ["concurrency", "20", "20 is no whole number from 1 to 1000000000"],
    ["concurrency", null, "null is no whole number from 1 to 1000000000"],
    ["concurrency", Number.POSITIVE_INFINITY, "Infinity is no whole number from 1 to 1000000000"],
    ["retries", -1, "-1 is no whole number from 0 to 1000000000"],
    ["retryDelay", "soon", '"soon" is no duration; give milliseconds or "250ms", "10s", "5m", "2h", from 0 to 24 days'],
    ["publishTimeout", -1, '-1 is no duration; give milliseconds or "250ms", "10s", "5m", "2h", from 0 to 24 days'],
    ["drainTimeout", "1d", '"1d" is no duration; give milliseconds or "250ms", "10s", "5m", "2h", from 0 to 24 days'],
    ["maxPayloadBytes", 0, "0 is no whole number from 1 to 1000000000"],
    ["validatePublished", "false", "it is of type string, and true or false is needed"],
    ["declarationGrace", 0, '0 ms are too short; give at least "1s"'],
    ["declarationGrace", "999ms", '999 ms are too short; give at least "1s"'],
    ["logger", null, 'it has no method "debug"; console and pino loggers fit'],
    ["logger", { debug() {}, info() {}, error() {} }, 'it has no method "warn"; console and pino loggers fit'],
    ["logger", "console", 'it has no method "debug"; console and pino loggers fit'],
    ["container", {}, "a tsyringe container is needed, such as container.createChildContainer()"],
    ["wrap", {}, "a function (ctx, next) or a list of them is needed"],
    ["wrap", [undefined], "a function (ctx, next) or a list of them is needed"],
    ["onRetry", {}, "it is of type object, and a function is needed"],
    ["onDeadLetter", "log", "it is of type string, and a function is needed"],
  ])("%s: %j is refused", (name, value, problem) => {
    expect(refusal(app({ [name]: value }))).toEqual({
      code: "invalid-option",
      option: `PapaApp: ${name}`,
      message: `PapaApp: ${name}: ${problem}.`,
    });
  });

  it("a misspelt one is told, with those that there are", () => {
    expect(refusal(app({ retry: 3 }))).toEqual({
      code: "invalid-option",
      option: "PapaApp",
      message:
        'PapaApp: "retry" is no option; there are transport, name, events, concurrency, retries, retryDelay, publishTimeout, drainTimeout, maxPayloadBytes, validatePublished, declarationGrace, logger, container, wrap, onRetry, onDeadLetter.',
    });
  });

  it.each([undefined, null, "memory:"])("%j are no options", (options) => {
    expect(refusal(() => new PapaApp(options as never)).message).toContain(
      "PapaApp: options are an object with transport,",
    );
  });
});

describe("the options of a use case", () => {
  it.each<[string, unknown, string]>([
    ["retries", "3", "3 is no whole number from 0 to 1000000000"],
    [
      "retryDelay",
      {},
      '[object Object] is no duration; give milliseconds or "250ms", "10s", "5m", "2h", from 0 to 24 days',
    ],
    ["concurrency", 0, "0 is no whole number from 1 to 1000000000"],
    ["timeout", 0, "a timeout of 0 fails every handler; leave it out for none"],
    ["timeout", "soon", '"soon" is no duration; give milliseconds or "250ms", "10s", "5m", "2h", from 0 to 24 days'],
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

  it("a misspelt one is told, with those that there are", () => {
    expect(refusal(handled({ maxJobs: 3 })).message).toBe(
      'useCase "log": "maxJobs" is no option; there are on, schema, retries, retryDelay, concurrency, timeout, wrap.',
    );
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
  const onEvent = (options: unknown) => () => new PapaApp({ transport }).onEvent("a", options as never, () => {});

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

  it("needs the name of the use case", () => {
    expect(thrownBy(onEvent({}))).toMatchObject({ code: "invalid-use-case" });
  });

  it("a second use case of a name is refused, by whichever way they come", () => {
    const log = useCase("log", { on: "b" }, () => {});
    const both = new PapaApp({ transport }).onEvent("a", { useCase: "log" }, () => {});
    expect(thrownBy(() => both.use(log))).toMatchObject({
      code: "duplicate-use-case",
      message: 'This app has a use case "log" already; a use case has one handler, on one or several patterns.',
      details: { useCase: "log" },
    });
  });

  it.each([undefined, {}, () => {}, ["log"], [[useCase("nested", { on: "a" }, () => {})]]])(
    "use() takes no %o",
    (useCases) => {
      expect(refusal(() => new PapaApp({ transport }).use(useCases as never)).message).toBe(
        "use: a use case made by useCase(...) is needed, or a list of them.",
      );
    },
  );
});
