import { describe, expect, expectTypeOf, it } from "vitest";
import { DeadLetter, isPapaError, PapaError, type PapaErrorCode, RetryAfter } from "../../src/index.ts";
import { thrownBy } from "../support.ts";

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
    expect([isPapaError(hostile), hostile instanceof PapaError, hostile instanceof RetryAfter]).toEqual([
      false,
      false,
      false,
    ]);
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
        case "crash-loop":
          return false;
      }
    };
    expect(retryLater("publish-timeout")).toBe(true);
  });
});

describe("T5 the signals of a handler", () => {
  it("DeadLetter has a message and a cause", () => {
    const error = new DeadLetter("the account is closed", { cause: 404 });
    expect([error.name, error.message, error.cause]).toEqual(["DeadLetter", "the account is closed", 404]);
  });

  it("RetryAfter has a delay in milliseconds", () => {
    expect(new RetryAfter("2m").delay).toBe(120_000);
    expect(new RetryAfter("2m").message).toBe("retry after 2m");
    expect(new RetryAfter(5, { message: "busy", cause: 429 })).toMatchObject({ delay: 5, message: "busy", cause: 429 });
  });

  it("RetryAfter refuses what is no duration", () => {
    expect(thrownBy(() => new RetryAfter("soon" as never))).toMatchObject({
      code: "invalid-option",
      details: { option: "RetryAfter delay" },
    });
  });

  it("those of another copy of the package are recognised", () => {
    expect({ [Symbol.for("papa-events.dead-letter")]: true }).toBeInstanceOf(DeadLetter);
    expect({ [Symbol.for("papa-events.retry-after")]: true }).toBeInstanceOf(RetryAfter);
    expect(new DeadLetter("x")).not.toBeInstanceOf(RetryAfter);
    expect(new Error("x")).not.toBeInstanceOf(DeadLetter);
  });

  it("a class that extends one is told from it", () => {
    class AccountClosed extends DeadLetter {}
    expect(new AccountClosed("x")).toBeInstanceOf(DeadLetter);
    expect(new AccountClosed("x")).toBeInstanceOf(AccountClosed);
    expect(new DeadLetter("x")).not.toBeInstanceOf(AccountClosed);
    class OwnError extends PapaError<"stopped"> {}
    expect(timeout()).not.toBeInstanceOf(OwnError);
  });
});
