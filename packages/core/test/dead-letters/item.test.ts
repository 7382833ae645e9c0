import { describe, expect, it } from "vitest";
import { readDeadLetter } from "../../src/dead-letters/item.ts";
import type { StoredDeadLetter } from "../../src/transport.ts";

describe("reading a dead letter that another program stored", () => {
  const read = (event: Partial<StoredDeadLetter["event"]>) =>
    readDeadLetter({ id: "1", event: { headers: {}, body: Buffer.from("1"), time: 5, ...event } }, "log");

  it("what it lacks has safe values", () => {
    const { eventId, ...item } = read({ name: "a" });
    expect(eventId).toMatch(/^[0-9a-f-]{36}$/);
    expect(item).toEqual({
      id: "1",
      useCase: "log",
      eventName: "a",
      payload: 1,
      body: Buffer.from("1"),
      headers: {},
      reason: "rejected",
      error: { name: "Error", message: "", stack: "" },
      attempts: 1,
      firstFailedAt: new Date(5),
      lastFailedAt: new Date(5),
    });
  });

  it.each(["", "nonsense", "__proto__", 7, null, ["x"], Buffer.from([0xff])])(
    "the unknown reason %j is rejected",
    (reason) => {
      expect(read({ headers: { papa_reason: reason } }).reason).toBe("rejected");
    },
  );

  it("a body that is no JSON has no payload", () => {
    expect(read({ body: Buffer.from("{") })).not.toHaveProperty("payload");
    expect(read({ body: Buffer.from("null") })).toHaveProperty("payload", null);
  });

  it("times that are none are those of the event", () => {
    const item = read({ headers: { papa_first_failed_at: "yesterday", papa_last_failed_at: 7e99 } });
    expect([item.firstFailedAt, item.lastFailedAt]).toEqual([new Date(5), new Date(5)]);
  });
});
