import { describe, expect, it } from "vitest";
import { collectOutputs, invalidOutput } from "../../src/handler/collect-outputs.ts";
import { thrownBy } from "../support.ts";

const event = { name: "b", payload: 1 };

describe("what a handler returned, as a list of events", () => {
  it.each<[string, unknown, readonly unknown[]]>([
    ["nothing", undefined, []],
    ["one event", event, [event]],
    ["a list", [event, event], [event, event]],
    ["an empty list", [], []],
    [
      "a payload of null, and headers",
      { ...event, payload: null, headers: {} },
      [{ ...event, payload: null, headers: {} }],
    ],
  ])("%s", (_, returned, expected) => {
    expect(collectOutputs(returned as never, "log")).toEqual(expected);
  });

  const nothing = "return nothing, one event { name, payload }, or a list of them";
  it.each<[string, unknown, string]>([
    ["null", null, `null is not a valid event; ${nothing}`],
    ["a text", "done", `a string is not a valid event; ${nothing}`],
    ["false", false, `a boolean is not a valid event; ${nothing}`],
    ["0", 0, `a number is not a valid event; ${nothing}`],
    ["a function", () => event, `a function is not a valid event; ${nothing}`],
    ["an object without a name", { payload: 1 }, `an object without a name is not a valid event; ${nothing}`],
    [
      "an object whose name is none",
      { name: 7, payload: 1 },
      `an object without a name is not a valid event; ${nothing}`,
    ],
    ["an event without a payload", { name: "b" }, 'the event "b" has no payload; null is one'],
    [
      "a member that would be ignored",
      { ...event, delay: 1 },
      'the event "b" has a member "delay"; an event has name, payload, headers',
    ],
    ["a bad one among good ones", [event, undefined], `undefined is not a valid event; ${nothing}`],
    ["a hole in a list", Object.assign([], { 0: event, 2: event }), `undefined is not a valid event; ${nothing}`],
  ])("H4 %s is refused", (_, returned, problem) => {
    expect(thrownBy(() => collectOutputs(returned as never, "log"))).toMatchObject({
      code: "invalid-output",
      message: `What the handler of "log" returned cannot be published: ${problem}.`,
      details: { useCase: "log", problem },
    });
  });

  it("an error's message in it ends with one full stop", () => {
    expect(invalidOutput("log", "It is too large.").message).toBe(
      'What the handler of "log" returned cannot be published: It is too large.',
    );
  });
});
