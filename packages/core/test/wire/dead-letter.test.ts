import { describe, expect, it } from "vitest";
import { readDeadLetter } from "../../src/dead-letters/item.ts";
import type { ReceivedEvent } from "../../src/transport.ts";
import { encodeDeadLetter, reviveDeadLetter, smallestDeadLetter } from "../../src/wire/dead-letter.ts";
import { EventReader } from "../../src/wire/decode.ts";
import { encodeForward } from "../../src/wire/forward.ts";
import { encodeRetry } from "../../src/wire/retry.ts";

const budget = { maxBytes: 65_536, perHeader: 8 };
const at = (time: number) => new Date(time).toISOString();
const error = { name: "Error", message: "no", stack: "Error: no\n    at handler" };

const received = (event: Partial<ReceivedEvent>) => {
  const body = event.body ?? Buffer.from("{}");
  return {
    reader: new EventReader({ name: "a", id: "1", time: 5, headers: {}, ...event, body }, { now: () => 0 }),
    body,
  };
};

function letterOf(event: Partial<ReceivedEvent>, note: Partial<typeof error> = {}) {
  const given = { useCase: "log", reason: "rejected", attempts: 3, error: { ...error, ...note } } as const;
  return encodeDeadLetter(received(event), given, 7_000, budget);
}

describe("D1 a dead letter", () => {
  it("keeps the first failure's time through retries, and takes the last failure's error", () => {
    const first = encodeRetry(received({}), 2, { ...error, message: "first" }, 1_000, budget);
    const second = encodeRetry(received(first), 3, { ...error, message: "second" }, 2_000, budget);
    expect(letterOf(second, { message: "last" }).headers).toMatchObject({
      papa_first_failed_at: at(1_000),
      papa_last_failed_at: at(7_000),
      papa_attempt: "3",
      papa_error_message: "last",
    });
  });

  it("that has never failed before failed first now, also where a stranger's header says nonsense", () => {
    for (const headers of [{}, { papa_first_failed_at: "yesterday" }]) {
      expect(letterOf({ headers }).headers.papa_first_failed_at).toBe(at(7_000));
    }
  });
});

describe("D5 the smallest dead letter", () => {
  const large = letterOf(
    { headers: { tenant: "t", traceparent: "p", papa_cause: "c", odd: 3 }, body: Buffer.from('{"a": 1}') },
    { message: "ñ".repeat(1_000) },
  );
  const smallest = smallestDeadLetter(large);

  it("has the body and the library's own headers, the stack and all others left out, and says so", () => {
    expect(smallest?.body).toBe(large.body);
    expect(smallest).not.toHaveProperty("rawHeaders");
    expect(Object.keys(smallest?.headers ?? {}).sort()).toEqual(
      [
        "ce_id",
        "ce_source",
        "ce_specversion",
        "ce_time",
        "ce_type",
        "papa_attempt",
        "papa_cause",
        "papa_cut",
        "papa_error_message",
        "papa_error_name",
        "papa_first_failed_at",
        "papa_last_failed_at",
        "papa_reason",
        "papa_use_case",
        "traceparent",
      ].sort(),
    );
    expect(smallest?.headers.papa_cut).toBe("stack, message, all headers");
    expect(smallest?.headers.papa_error_message).toBe("ñ".repeat(128));
  });

  it("is read as the dead letter it is", () => {
    if (smallest === undefined) throw new Error("There is one.");
    expect(readDeadLetter({ id: "x", event: smallest }, "log")).toMatchObject({
      eventId: "1",
      eventName: "a",
      payload: { a: 1 },
      reason: "rejected",
      attempts: 3,
      error: { name: "Error", stack: "" },
    });
  });

  it("there is none smaller", () => {
    expect(smallest && smallestDeadLetter(smallest)).toBeUndefined();
  });
});

describe("D4 a revived dead letter", () => {
  it("is the event it was: no trace of attempts, failures and forwards is left", () => {
    const forwarded = encodeForward(received({ headers: { tenant: "t", papa_cause: "c" } }), 1_000, budget);
    const retried = encodeRetry(received(forwarded), 2, error, 2_000, budget);
    const revived = reviveDeadLetter({ id: "x", event: letterOf(retried) });
    expect(revived).toMatchObject({ name: "a", id: "1", time: 5 });
    expect(revived.headers).toEqual({
      tenant: "t",
      papa_cause: "c",
      papa_redriven: "1",
      ce_specversion: "1.0",
      ce_id: "1",
      ce_type: "a",
      ce_source: "unknown",
      ce_time: at(5),
    });
  });

  it("counts how often it has been redriven", () => {
    let event: ReceivedEvent = letterOf({});
    for (const times of ["1", "2", "3"]) {
      const revived = reviveDeadLetter({ id: "x", event });
      expect(revived.headers.papa_redriven).toBe(times);
      event = letterOf(revived);
    }
  });

  it("L5 has the headers that are no text as they were", () => {
    const { headers, rawHeaders } = letterOf({ headers: { blob: Buffer.from([0xff]), count: 3 } });
    const revived = reviveDeadLetter({
      id: "x",
      event: { headers: { ...headers, ...rawHeaders }, body: Buffer.from("1") },
    });
    expect(revived.rawHeaders).toEqual({ blob: Buffer.from([0xff]), count: 3 });
  });

  it("still says which headers were too large to be kept, and not that something else was cut", () => {
    const letter = letterOf({ headers: { large: "x".repeat(100_000) } });
    expect(letter.headers).toHaveProperty("papa_cut");
    const { headers } = reviveDeadLetter({ id: "x", event: letter });
    expect(headers).toHaveProperty("papa_dropped_headers", "large");
    expect(headers).not.toHaveProperty("papa_cut");
  });
});
