import { describe, expect, it } from "vitest";
import { brokerUrl, redactorFor } from "../../src/input/broker-url.ts";

it("the option goes before the environment", () => {
  expect(brokerUrl("redis://a", { PAPA_BROKER_URL: "redis://b" })).toBe("redis://a");
  expect(brokerUrl(undefined, { PAPA_BROKER_URL: "redis://b" })).toBe("redis://b");
  expect(() => brokerUrl(undefined, {})).toThrow("No broker is given.");
});

describe("secrets", () => {
  const redact = redactorFor(["stats", "--broker=AMQP://user:p%40ss/w:ord@host:5672/vhost"]);

  it.each([
    ["the whole URL", "cannot parse amqp://user:p%40ss/w:ord@host:5672/vhost", /p%40ss|w:ord/],
    ["the password as it is written", "refused p%40ss/w:ord", /p%40ss/],
    ["the password decoded", "refused p@ss/w:ord", /p@ss/],
    ["any other URL with a login", "sentinel redis://other:hidden@host", /other|hidden/],
  ])("of %s are taken out", (_what, text, secret) => {
    expect(redact(text)).not.toMatch(secret);
    expect(redact(text)).toContain("***");
  });

  it("an example of the library stays as it is", () => {
    expect(redact("write redis://user:password@host")).toBe("write redis://user:password@host");
  });

  it("a short password does not eat innocent words", () => {
    expect(redactorFor(["redis://:a@host"])("a bad day")).toBe("a bad day");
  });
});
