import { describe, expect, it } from "vitest";
import { assertUserHeaders, MAX_HEADER_BYTES } from "../../src/wire/user-headers.ts";
import { thrownBy } from "../support.ts";

const refused = (headers: unknown) => thrownBy(() => assertUserHeaders(headers));

describe("the headers of a user", () => {
  it.each<Record<string, string>>([
    {},
    { tenant: "a" },
    { "x-request-id": "1", "x-opt": "1", "x-deaths": "1", "X-Custom": "", "content-encoding": "gzip" },
    { traceparent: "00-1-2-01", tracestate: "a=b" },
    { "ñandú 語": "🐦", toString: "x", ["n".repeat(128)]: "x" },
  ])("may be %j", (headers) => {
    expect(() => assertUserHeaders(headers)).not.toThrow();
  });

  it.each([
    "ce_id",
    "ce_anything",
    "CE_TYPE",
    "papa_attempt",
    "Papa_x",
    "content-type",
    "Content-Type",
    "exception",
    "x-death",
    "X-Death",
    "x-first-death-queue",
    "x-last-death-reason",
    "x-delivery-count",
    "x-opt-rk",
    "x-stream-offset",
    "CC",
    "cc",
    "BCC",
    "constructor",
    "prototype",
  ])("%s is reserved", (name) => {
    expect(refused({ [name]: "x" })).toMatchObject({
      code: "invalid-headers",
      message: `Header "${name}": the name is reserved, for the library or because a broker reads it; choose another.`,
      details: { header: name },
    });
  });

  it("__proto__ is reserved", () => {
    expect(refused(JSON.parse('{"__proto__": "x"}'))).toMatchObject({ details: { header: "__proto__" } });
  });

  it.each([
    ["", "a header's name has 1 to 128 bytes"],
    ["n".repeat(129), "a header's name has 1 to 128 bytes"],
    // AMQP counts bytes.
    ["語".repeat(43), "a header's name has 1 to 128 bytes"],
    ["\ud800", "the name is not well-formed Unicode"],
  ])("the name %j is refused", (name, problem) => {
    expect(refused({ [name]: "x" })).toMatchObject({ code: "invalid-headers", details: { problem } });
  });

  it.each([
    [1, "the value is of type number; headers are strings"],
    [undefined, "the value is of type undefined; headers are strings"],
    [null, "the value is of type object; headers are strings"],
    [["a"], "the value is of type object; headers are strings"],
    ["\udc00", "the value is not well-formed Unicode"],
  ])("the value %j is refused, also in a trace", (value, problem) => {
    for (const name of ["tenant", "traceparent"]) {
      expect(refused({ [name]: value })).toMatchObject({ code: "invalid-headers", details: { header: name, problem } });
    }
  });

  it.each([null, "a=b", ["a"], 1])("%j are no headers", (headers) => {
    expect(refused(headers)).toMatchObject({ code: "invalid-headers", details: { header: "headers" } });
  });

  it("32 KiB in all are allowed, names and values in bytes", () => {
    const half = MAX_HEADER_BYTES / 2;
    const fitting = { a: "ñ".repeat((half - 2) / 2), bcd: "x".repeat(half - 2) };
    expect(() => assertUserHeaders(fitting)).not.toThrow();
    expect(refused({ ...fitting, e: "" })).toMatchObject({
      code: "headers-too-large",
      details: { bytes: MAX_HEADER_BYTES + 1, limit: MAX_HEADER_BYTES },
    });
  });
});
