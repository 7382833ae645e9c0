import { describe, expect, it } from "vitest";
import { DeadLetter, RetryAfter } from "../../src/index.ts";
import { thrownBy } from "../support.ts";

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
  });

  it("looking at a value that throws when looked at throws nothing", () => {
    const hostile = new Proxy(new Error("x"), {
      get: () => {
        throw new Error("hands off");
      },
    });
    expect([hostile instanceof DeadLetter, hostile instanceof RetryAfter]).toEqual([false, false]);
  });
});
