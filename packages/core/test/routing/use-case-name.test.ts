import { describe, expect, it } from "vitest";
import { assertUseCaseName } from "../../src/routing/use-case-name.ts";
import { thrownBy } from "../support.ts";

describe("names of use cases", () => {
  it.each([
    "a",
    "send_welcome.v2-B",
    "x".repeat(100),
    "amq",
    "amqp.x",
    "a.retryx",
    "a.retry.x",
    "dlq",
    "retry",
    "__proto__",
  ])("%s is one", (name) => {
    expect(() => assertUseCaseName(name)).not.toThrow();
  });

  const reserved =
    'names that end in ".retry", ".retry.<number>" or ".dlq" or begin with "amq." are reserved for the queues behind a use case';
  const grammar = 'it has 1 to 100 characters of A-Z, a-z, 0-9, "_", "." and "-"';
  it.each<[unknown, string]>([
    ["", grammar],
    ["x".repeat(101), grammar],
    ["send welcome", grammar],
    ["señal", grammar],
    ["a\n", grammar],
    ["a#", grammar],
    ["amq.x", reserved],
    ["a.retry", reserved],
    ["a.retry.10000", reserved],
    ["a.dlq", reserved],
    [".dlq", reserved],
    [undefined, 'it is of type undefined, and a string is needed, such as useCase: "send_welcome_email"'],
    [7, 'it is of type number, and a string is needed, such as useCase: "send_welcome_email"'],
  ])("%j is none", (name, problem) => {
    expect(thrownBy(() => assertUseCaseName(name))).toMatchObject({
      code: "invalid-use-case",
      message: `${JSON.stringify(String(name))} is not a valid use-case name: ${problem}.`,
      details: { useCase: String(name), problem },
    });
  });

  // Such as a request's JSON may hold where a name is expected.
  it.each([{ toString: 1, valueOf: 1 }, Object.create(null)])("an object without a text is none (%#)", (name) => {
    expect(thrownBy(() => assertUseCaseName(name))).toMatchObject({ code: "invalid-use-case" });
  });
});
