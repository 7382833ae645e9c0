import { runInNewContext } from "node:vm";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { describe, expect, it } from "vitest";
import { problemsOf, validate } from "../../src/catalogue/validate.ts";
import { isPapaError, useCase } from "../../src/index.ts";
import { FakeTransport, started, thrownBy, turns } from "../support.ts";

const answering = (answer: unknown): StandardSchemaV1 => ({
  "~standard": { version: 1, vendor: "test", validate: () => answer as never },
});

/** A promise of another library: it has a `then` and is no Promise. */
const thenable = (value: unknown) => ({
  // biome-ignore lint/suspicious/noThenProperty: this is what is tested
  then: (resolve: (value: unknown) => void) => resolve(value),
});

describe("an answer of a schema", () => {
  it.each<[string, StandardSchemaV1.Result<unknown>]>([
    ["a value", { value: 7 }],
    ["a value that is undefined", { value: undefined }],
    ["a value and no issues", { value: 7, issues: undefined }],
    ["issues", { issues: [{ message: "no" }] }],
    ["an empty list of issues", { issues: [] }],
  ])("%s is given as it is, at once", (_, answer) => {
    expect(validate(answering(answer), "payload")).toBe(answer);
  });

  it("the value is handed to it, as a method of the schema", () => {
    const seen: unknown[] = [];
    const schema = {
      "~standard": {
        version: 1,
        vendor: "test",
        prefix: "of ",
        validate(value: unknown) {
          seen.push(value);
          return { value: `${this.prefix}${String(value)}` };
        },
      },
    } as const;
    expect(validate(schema, "payload")).toEqual({ value: "of payload" });
    expect(seen).toEqual(["payload"]);
  });

  it.each<[string, unknown]>([
    ["a promise", Promise.resolve({ value: 7 })],
    ["a promise of another realm", runInNewContext("Promise.resolve({ value: 7 })")],
    ["a promise of another library", thenable({ value: 7 })],
    // As those of Bluebird have.
    ["a promise of another library with a value of its own", { ...thenable({ value: 7 }), value: () => {} }],
  ])("%s is waited for", async (_, answer) => {
    const result = validate(answering(answer), "payload");
    expect(result).toBeInstanceOf(Promise);
    expect(await result).toMatchObject({ value: 7 });
  });
});

describe("a schema that answers with neither a value nor issues", () => {
  const broken: [string, unknown, string][] = [
    ["a number", 7, "number 7"],
    ["nothing", undefined, "undefined undefined"],
    ["null", null, "object null"],
    ["a text", "ok", "string ok"],
    ["true", true, "boolean true"],
    ["an empty object", {}, "an object with the members (none)"],
    ["another shape", { success: true, data: 7 }, "an object with the members success, data"],
    ["issues that are no list", { issues: "no" }, "an object with the members issues"],
    ["issues that are no list beside a value", { value: 7, issues: {} }, "an object with the members value, issues"],
    ["a list", [], "an object with the members (none)"],
  ];

  it.each(broken)("%s is a typed error", (_, answer, described) => {
    const error = thrownBy(() => validate(answering(answer), "payload"));
    if (!isPapaError(error, "invalid-schema")) throw error;
    expect(error.message).toBe(
      `A schema does not keep to Standard Schema: it answered with ${described}, which has neither a value nor a list of issues.`,
    );
  });

  it.each(broken)("%s that is promised likewise", async (_, answer) => {
    await expect(validate(answering(Promise.resolve(answer)), "payload")).rejects.toMatchObject({
      code: "invalid-schema",
    });
    await expect(validate(answering(thenable(answer)), "payload")).rejects.toMatchObject({ code: "invalid-schema" });
  });

  it.each([...broken, ["a promise of a number", Promise.resolve(7), ""], ["a foreign promise", thenable({}), ""]])(
    "%s never calls the handler, and the event is not lost",
    async (_, answer) => {
      const transport = new FakeTransport();
      let called = 0;
      await started(transport, [useCase("log", { on: "#", schema: answering(answer) }, () => void (called += 1))]);
      expect(await transport.deliver("log", { name: "a" })).toMatchObject({
        kind: "retry",
        event: { headers: { papa_error_message: expect.stringContaining("does not keep to Standard Schema") } },
      });
      expect(called).toBe(0);
    },
  );

  it.each([...broken, ["a promise of a number", Promise.resolve(7), ""], ["a foreign promise", thenable({}), ""]])(
    "%s publishes nothing",
    async (_, answer) => {
      const transport = new FakeTransport();
      const app = await started(transport, [], { events: { a: answering(answer) } as never });
      await expect(app.newEvent("a", 1)).rejects.toMatchObject({ code: "invalid-schema" });
      await expect(app.newEvents([{ name: "a", payload: 1 }])).rejects.toMatchObject({ code: "invalid-schema" });
      await turns();
      expect(transport.calls).toEqual([]);
    },
  );

  it("that throws, publishes nothing either", async () => {
    const transport = new FakeTransport();
    const validate = () => {
      throw new Error("a bug in the schema");
    };
    const schema = { "~standard": { version: 1, vendor: "test", validate } } as const;
    const app = await started(transport, [], { events: { a: schema } as never });
    await expect(app.newEvent("a", 1)).rejects.toThrow("a bug in the schema");
    expect(transport.calls).toEqual([]);
  });
});

describe("the issues of a schema", () => {
  it("are a line each: where, then what", () => {
    expect(
      problemsOf([
        { message: "at the root" },
        { message: "at the root too", path: [] },
        { message: "too short", path: ["user", "names", 0] },
        { message: "unknown", path: [{ key: "user" }, { key: Symbol("age") }] },
      ]),
    ).toEqual(["at the root", "at the root too", "user.names.0: too short", "user.Symbol(age): unknown"]);
  });

  it.each([
    [20, 20, undefined],
    [21, 21, "and 1 more"],
    [800, 21, "and 780 more"],
  ])("of %d %d lines are written, the last %s", (count, lines, last) => {
    const problems = problemsOf(Array.from({ length: count }, () => ({ message: "no" })));
    expect(problems).toHaveLength(lines);
    expect(problems.at(-1)).toBe(last ?? "no");
  });
});
