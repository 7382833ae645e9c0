import { describe, expect, expectTypeOf, it } from "vitest";
import { isPapaError, PapaError, type PapaErrorCode } from "../../src/index.ts";

const timeout = () =>
  new PapaError(
    "publish-timeout",
    "not in time",
    { eventName: "a", id: "1", timeout: 5 },
    { cause: "c", retryable: true },
  );

/** What another copy of the package throws: another class with the same brand. */
class PapaErrorOfAnotherCopy extends Error {
  readonly code = "not-started";
  readonly details = { operation: "newEvent" };
  readonly retryable = false;
  constructor() {
    super("of another copy");
    Object.defineProperty(this, Symbol.for("papa-events.error"), { value: true });
  }
}

describe("PapaError", () => {
  it("is an error with a code, details, a cause, and whether to try again", () => {
    const error = timeout();
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(PapaError);
    expect([error.name, error.code, error.message, error.cause, error.retryable]).toEqual([
      "PapaError",
      "publish-timeout",
      "not in time",
      "c",
      true,
    ]);
    expect(error.stack).toContain("not in time");
  });

  it("is not retryable unless it says so, and has no cause unless there is one", () => {
    const error = new PapaError("stopped", "late", { operation: "newEvent" });
    expect(error.retryable).toBe(false);
    expect(error).not.toHaveProperty("cause");
  });

  it("does not show its brand in what is printed or compared", () => {
    expect(Object.keys(timeout()).sort()).toEqual(["code", "details", "name", "retryable"]);
    expect(JSON.parse(JSON.stringify(timeout()))).toEqual({
      name: "PapaError",
      code: "publish-timeout",
      details: { eventName: "a", id: "1", timeout: 5 },
      retryable: true,
    });
  });

  it("isPapaError tells it, with a code one of that code", () => {
    const error: unknown = timeout();
    expect([isPapaError(error), isPapaError(error, "publish-timeout"), isPapaError(error, "stopped")]).toEqual([
      true,
      true,
      false,
    ]);
    if (isPapaError(error, "publish-timeout")) expectTypeOf(error.details.timeout).toEqualTypeOf<number>();
  });

  it("one of another copy of the package is one", () => {
    const error = new PapaErrorOfAnotherCopy();
    expect([error instanceof PapaError, isPapaError(error), isPapaError(error, "not-started")]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it.each([
    undefined,
    null,
    "publish-timeout",
    { code: "publish-timeout" },
    new Error("x"),
    Object.assign(new Error("x"), { code: "stopped" }),
    { [Symbol.for("papa-events.error")]: "true" },
  ])("%s is none (%#)", (value) => {
    expect([isPapaError(value), (value as unknown) instanceof PapaError]).toEqual([false, false]);
  });

  it("looking at a value that throws when looked at throws nothing", () => {
    const hostile = new Proxy(new Error("x"), {
      get: () => {
        throw new Error("hands off");
      },
    });
    expect([isPapaError(hostile), hostile instanceof PapaError]).toEqual([false, false]);
  });

  it("a class that extends it is told from it", () => {
    class OwnError extends PapaError<"stopped"> {}
    expect(timeout()).not.toBeInstanceOf(OwnError);
  });

  it("an exhaustive switch over its codes compiles", () => {
    const retryLater = (code: PapaErrorCode): boolean => {
      switch (code) {
        case "publish-timeout":
        case "publish-incomplete":
        case "connection-failed":
          return true;
        case "invalid-event-name":
        case "invalid-pattern":
        case "invalid-use-case":
        case "unknown-use-case":
        case "duplicate-use-case":
        case "invalid-option":
        case "invalid-payload":
        case "invalid-output":
        case "invalid-headers":
        case "headers-too-large":
        case "payload-not-json":
        case "payload-too-large":
        case "unknown-event":
        case "already-started":
        case "not-started":
        case "stopped":
        case "access-refused":
        case "topology-conflict":
        case "unsupported-broker":
        case "unknown-scheme":
        case "transport-not-installed":
        case "handler-timeout":
        case "event-lost":
        case "crash-loop":
        case "invalid-schema":
        case "unwanted-event":
          return false;
      }
    };
    expect(retryLater("publish-timeout")).toBe(true);
  });
});
