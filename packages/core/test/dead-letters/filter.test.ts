import { describe, expect, it } from "vitest";
import { filterOf } from "../../src/dead-letters/filter.ts";
import type { DeadLetterItem } from "../../src/index.ts";
import { thrownBy } from "../support.ts";

const item: DeadLetterItem = {
  id: "1",
  eventId: "e-1",
  useCase: "log",
  eventName: "user.created",
  body: Buffer.from("1"),
  headers: {},
  reason: "retries-exhausted",
  error: {
    name: "TypeError",
    message: "connect ECONNREFUSED 10.0.0.1",
    stack: "TypeError: ...\n    at save (store.ts:7)",
  },
  attempts: 3,
  firstFailedAt: new Date(500),
  lastFailedAt: new Date(1_000),
};

describe("D6 a filter", () => {
  it.each<[Parameters<typeof filterOf>[0], boolean]>([
    [{}, true],
    [{ event: "user.created" }, true],
    [{ event: "user.*" }, true],
    [{ event: "order.#" }, false],
    [{ reason: "retries-exhausted" }, true],
    [{ reason: "rejected" }, false],
    [{ text: "ECONNREFUSED" }, true],
    [{ text: "econnrefused" }, true],
    [{ text: "typeerror" }, true],
    [{ text: "store.ts" }, true],
    [{ text: "timeout" }, false],
    [{ after: new Date(1_000) }, true],
    [{ after: new Date(1_001) }, false],
    [{ before: new Date(1_001) }, true],
    [{ before: new Date(1_000) }, false],
    [{ event: "user.*", reason: "retries-exhausted", text: "10.0.0.1", after: new Date(0) }, true],
    [{ event: "user.*", reason: "rejected", text: "10.0.0.1" }, false],
    [{ event: undefined, text: undefined }, true],
  ])("%j finds it: %j", (filter, found) => {
    expect(filterOf(filter, "search")(item)).toBe(found);
  });

  it.each<[object, string, string]>([
    [{ event: "user.**" }, "invalid-pattern", "user.#"],
    [{ reason: "retry-exhausted" }, "invalid-option", 'did you mean "retries-exhausted"?'],
    [{ reason: 7 }, "invalid-option", "search: reason: 7 is none of retries-exhausted,"],
    [{ text: 7 }, "invalid-option", "search: text: a string is needed."],
    [{ since: new Date() }, "invalid-option", 'search: unknown option "since"'],
    [{ before: "yesterday" }, "invalid-option", "search: before: a valid Date is needed."],
    [{ after: new Date(Number.NaN) }, "invalid-option", "search: after: a valid Date is needed."],
  ])("%j is refused", (filter, code, message) => {
    const error = thrownBy(() => filterOf(filter, "search")) as Error;
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(message);
  });
});
