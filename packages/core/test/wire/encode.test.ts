import { describe, expect, it } from "vitest";
import { type EventParts, encodeEvent } from "../../src/wire/encode.ts";

const parts: EventParts = {
  name: "user.created",
  id: "1",
  time: 5,
  source: "app",
  text: '"ñ"',
  userHeaders: undefined,
  cause: undefined,
};
const PLAIN = {
  ce_specversion: "1.0",
  ce_id: "1",
  ce_type: "user.created",
  ce_source: "app",
  ce_time: "1970-01-01T00:00:00.005Z",
  "content-type": "application/json",
};

describe("an event on the wire", () => {
  it("has the payload's JSON as text and as bytes, and headers that are made once", () => {
    const event = encodeEvent(parts);
    expect([event.name, event.id, event.time, event.text]).toEqual(["user.created", "1", 5, '"ñ"']);
    expect(Buffer.from(event.body)).toEqual(Buffer.from('"ñ"'));
    expect(event.headers).toEqual(PLAIN);
    expect([event.headers, event.body]).toEqual([event.headers, event.body]);
    expect(event.headers).toBe(event.headers);
    expect(event.body).toBe(event.body);
  });

  it("has the user's headers as they were at the call", () => {
    const userHeaders: Record<string, string> = { tenant: "a" };
    const event = encodeEvent({ ...parts, userHeaders });
    userHeaders.tenant = "b";
    userHeaders.late = "x";
    expect(event.headers).toEqual({ ...PLAIN, tenant: "a" });
  });
});

describe("the event whose handler publishes another", () => {
  const published = (headers: Record<string, string>, userHeaders?: Record<string, string>) =>
    encodeEvent({ ...parts, userHeaders, cause: { id: "cause", headers } }).headers;

  it("is named as its cause, and its trace is continued", () => {
    expect(published({ traceparent: "p", tracestate: "s", tenant: "not this" })).toEqual({
      ...PLAIN,
      papa_cause: "cause",
      traceparent: "p",
      tracestate: "s",
    });
    expect(published({ traceparent: "p" })).toEqual({ ...PLAIN, papa_cause: "cause", traceparent: "p" });
  });

  it.each<[string, Record<string, string>]>([
    ["without a parent", { tracestate: "s" }],
    ["longer than brokers carry", { traceparent: "p".repeat(1_025) }],
    ["longer than brokers carry, both together", { traceparent: "p".repeat(1_000), tracestate: "s".repeat(25) }],
  ])("a trace %s is not continued, and the cause is named all the same", (_, headers) => {
    expect(published(headers)).toEqual({ ...PLAIN, papa_cause: "cause" });
  });

  it("a trace of the user's own goes before it, whole: the state of one says nothing about another", () => {
    expect(published({ traceparent: "p", tracestate: "s" }, { traceparent: "own" })).toEqual({
      ...PLAIN,
      papa_cause: "cause",
      traceparent: "own",
    });
  });
});
