import { describe, expect, it } from "vitest";
import { assertEventName } from "../../src/routing/event-name.ts";
import { assertPattern } from "../../src/routing/pattern.ts";
import { assertUseCaseName } from "../../src/routing/use-case-name.ts";
import { thrownBy } from "../support.ts";

const tenWords = "a.b.c.d.e.f.g.h.i.j";

describe("P5 event names", () => {
  it.each(["a", "user.created", "A-z_0.9", "-", "constructor", "__proto__", tenWords, "x".repeat(200)])(
    "%s is one",
    (name) => {
      expect(() => assertEventName(name)).not.toThrow();
    },
  );

  it.each<[unknown, string]>([
    ["", "it is empty"],
    ["user..created", 'it has an empty word; words are joined by single dots, as in "user.created"'],
    ["user.", 'it has an empty word; words are joined by single dots, as in "user.created"'],
    ["user.*", 'the wildcard "*" belongs into a pattern; an event has a full name'],
    ["#", 'the wildcard "#" belongs into a pattern; an event has a full name'],
    ["user created", 'the word "user created" has a character other than A-Z, a-z, 0-9, "_" and "-"'],
    ["user.creado/a", 'the word "creado/a" has a character other than A-Z, a-z, 0-9, "_" and "-"'],
    ["ñ", 'the word "ñ" has a character other than A-Z, a-z, 0-9, "_" and "-"'],
    ["a\n", 'the word "a\\n" has a character other than A-Z, a-z, 0-9, "_" and "-"'],
    [`${tenWords}.k`, "it has 11 words, and 10 are allowed"],
    ["x".repeat(201), "it has 201 bytes, and 200 are allowed"],
    [undefined, "it is of type undefined, and a string is needed"],
    [["user.created"], "it is of type object, and a string is needed"],
  ])("%j is none", (name, problem) => {
    const shown = String(name);
    expect(thrownBy(() => assertEventName(name))).toMatchObject({
      code: "invalid-event-name",
      message: `${JSON.stringify(shown)} is no event name: ${problem}.`,
      details: { name: shown, problem },
    });
  });

  // Such as a request's JSON may hold where a name is expected.
  it.each([{ toString: 1, valueOf: 1 }, Object.create(null)])("an object without a text is none (%#)", (name) => {
    expect(thrownBy(() => assertEventName(name))).toMatchObject({ code: "invalid-event-name" });
    expect(thrownBy(() => assertPattern(name))).toMatchObject({ code: "invalid-pattern" });
    expect(thrownBy(() => assertUseCaseName(name))).toMatchObject({ code: "invalid-use-case" });
  });

  it("ten thousand good names do not make a bad one good", () => {
    for (let index = 0; index < 10_001; index += 1) assertEventName(`name-${index}`);
    expect(thrownBy(() => assertEventName("a..b"))).toMatchObject({ code: "invalid-event-name" });
  });
});

describe("patterns", () => {
  it.each(["a", "#", "*", "user.*", "#.a.#", "*.*.#.x", "#.#.#.#.#.#.#.#.#.#", "x".repeat(200)])(
    "%s is one",
    (pattern) => {
      expect(() => assertPattern(pattern)).not.toThrow();
    },
  );

  it.each<[unknown, string]>([
    ["", "it is empty"],
    ["a..#", 'it has an empty word; words are joined by single dots, as in "user.created"'],
    ["user*", 'in the word "user*" a wildcard stands beside other characters; "*" and "#" each are a whole word'],
    ["user.**", 'in the word "**" a wildcard stands beside other characters; "*" and "#" each are a whole word'],
    ["user.>", 'the word ">" has a character other than A-Z, a-z, 0-9, "_" and "-"'],
    [
      "user.created, user.deleted",
      'several patterns go into a list, not into one string; write ["user.created", "user.deleted"]',
    ],
    ["a,b", 'several patterns go into a list, not into one string; write ["a", "b"]'],
    [`${tenWords}.#`, "it has 11 words, and 10 are allowed"],
    ["x".repeat(201), "it has 201 bytes, and 200 are allowed"],
    [/user/, "it is of type object, and a string is needed"],
  ])("%s is none", (pattern, problem) => {
    expect(thrownBy(() => assertPattern(pattern))).toMatchObject({
      code: "invalid-pattern",
      message: `${JSON.stringify(String(pattern))} is no pattern: ${problem}.`,
      details: { pattern: String(pattern), problem },
    });
  });
});

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
      message: `${JSON.stringify(String(name))} is no name of a use case: ${problem}.`,
      details: { useCase: String(name), problem },
    });
  });
});
