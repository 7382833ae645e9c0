import { describe, expect, it } from "vitest";
import type { ReceivedEvent } from "../../src/transport.ts";
import { EventReader, readAttempt } from "../../src/wire/decode.ts";
import { HEADER } from "../../src/wire/header-names.ts";
import { ODD_VALUES, titleOf } from "./odd-values.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");

function read(event: Partial<ReceivedEvent>): EventReader {
  return new EventReader({ headers: {}, body: Buffer.from("1"), ...event }, { now: () => NOW });
}

describe("reading an event's metadata", () => {
  it("L5 an event without any gets an id of its own and the present time, and has no name", () => {
    const reader = read({});
    expect([reader.name, reader.time, reader.userHeaders]).toEqual(["", NOW, {}]);
    expect(reader.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(reader.id).toBe(reader.id);
    expect(read({}).id).not.toBe(reader.id);
  });

  it("L5 what the broker knows stands in for headers that are not there", () => {
    const reader = read({ name: "a.b", id: "m-1", time: 5 });
    expect([reader.name, reader.id, reader.time]).toEqual(["a.b", "m-1", 5]);
  });

  it("the broker's name goes before the header, and the headers' id and time before the broker's", () => {
    const headers = { ce_type: "b", ce_id: "from-header", ce_time: "2025-01-01T00:00:00Z" };
    const reader = read({ name: "a", id: "m-1", time: 5, headers });
    expect([reader.name, reader.id, reader.time]).toEqual(["a", "from-header", Date.parse("2025-01-01T00:00:00Z")]);
  });

  it.each([Number.NaN, 1e300, -1e300, Number.POSITIVE_INFINITY, 8.64e15 + 1])(
    "takes the present time where the broker's is none: %d",
    (time) => {
      expect(read({ time }).time).toBe(NOW);
    },
  );

  it.each([
    ["empty", ""],
    ["of 201 characters", "x".repeat(201)],
    // AMQP's message id has 255 bytes.
    ["of 200 characters and 600 bytes", "語".repeat(200)],
  ])("does not use an id that is %s", (_, id) => {
    expect(read({ headers: { ce_id: id }, id: "m-1" }).id).toBe("m-1");
  });

  it.each([
    ["bytes", Buffer.from("ñ"), "ñ"],
    ["a number", 7, "7"],
    ["a bigint", 7n, "7"],
    ["a boolean", false, "false"],
    ["a list, by its first value", [Buffer.from("first"), "second"], "first"],
  ])("a header may be %s", (_, value, text) => {
    expect(read({ headers: { tenant: value } }).userHeaders).toEqual({ tenant: text });
  });

  it.each([null, undefined, {}, [], [[]], Buffer.from([0xff]), new Date(0), Symbol("s")])(
    "a header that no text can stand for counts as absent (%#)",
    (value) => {
      expect(read({ headers: { tenant: value } }).userHeaders).toEqual({});
    },
  );

  it("headers that reach into a prototype are left out", () => {
    const headers = JSON.parse(
      '{"__proto__": "x", "constructor": "y", "prototype": "z", "toString": "kept"}',
    ) as object;
    const { userHeaders } = read({ headers: { ...headers } });
    expect(Object.entries(userHeaders)).toEqual([["toString", "kept"]]);
    expect(Object.getPrototypeOf(userHeaders)).toBe(Object.prototype);
  });

  it.each(ODD_VALUES.map((value) => [titleOf(value), value]))(
    "nothing throws for %s in any header of ours",
    (_, value) => {
      for (const name of Object.values(HEADER)) {
        const headers = { [name]: value };
        const reader = read({ headers });
        expect(typeof reader.name).toBe("string");
        expect(reader.id).not.toBe("");
        expect(new Date(reader.time).toISOString()).toMatch(/^[+-]?\d+-/);
        expect(Object.values(reader.headers).every((each) => typeof each === "string")).toBe(true);
        expect(readAttempt(headers)).toBeGreaterThanOrEqual(1);
      }
    },
  );
});

describe("T4 reading the attempt", () => {
  it.each([
    ["1", 1],
    ["6", 6],
    ["1000000", 1_000_000],
    [3, 3],
    [Buffer.from("4"), 4],
  ])("%j is attempt %d", (value, attempt) => {
    expect(readAttempt({ papa_attempt: value })).toBe(attempt);
  });

  it.each([undefined, null, "", "0", "-1", "1.5", "NaN", "Infinity", "1000001", "1e300", "two", {}, [], Number.NaN])(
    "%j is none, and so the first",
    (value) => {
      expect(readAttempt({ papa_attempt: value })).toBe(1);
    },
  );
});
