import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EncodedEvent, ReceivedEvent } from "../../src/transport.ts";
import { encodeDeadLetter } from "../../src/wire/dead-letter.ts";
import { EventReader } from "../../src/wire/decode.ts";
import { encodeForward } from "../../src/wire/forward.ts";
import { encodeRetry } from "../../src/wire/retry.ts";
import { type HeaderBudget, type StoredAgain, storeAgain } from "../../src/wire/stored-again.ts";
import { ODD_VALUES } from "./odd-values.ts";

const KIB = 1_024;
const UNLIMITED = { maxBytes: Number.POSITIVE_INFINITY, perHeader: 0 };
/** What brokers take, smaller and larger. */
const BUDGETS: readonly HeaderBudget[] = [
  { maxBytes: 65_536, perHeader: 8 },
  { maxBytes: 32 * KIB, perHeader: 40 },
  { maxBytes: 8 * KIB, perHeader: 8 },
];
const [LARGE] = BUDGETS as [HeaderBudget];

const received = (event: Partial<ReceivedEvent>): StoredAgain => {
  const body = event.body ?? Buffer.from("{}");
  return {
    reader: new EventReader({ name: "a", id: "1", time: 5, headers: {}, ...event, body }, { now: () => 0 }),
    body,
  };
};

const error = (message = "no", stack = "Error: no\n    at handler") => ({ name: "Error", message, stack });

const dead = (event: StoredAgain, budget: HeaderBudget, failure = error()) =>
  encodeDeadLetter(event, { useCase: "log", reason: "rejected", attempts: 1, error: failure }, 7, budget);

/** What a header takes as a broker may write it: as text or in its own type, whichever is larger. */
function bytesOfValue(value: unknown): number {
  if (value instanceof Uint8Array) return value.length;
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + bytesOfValue(each), 0);
  if (typeof value === "string" || typeof value === "number" || typeof value === "bigint")
    return Buffer.byteLength(String(value));
  return typeof value === "object" && value !== null ? Buffer.byteLength(JSON.stringify(value)) : 1;
}

function bytesOf(event: EncodedEvent, { perHeader }: HeaderBudget): number {
  const { headers, rawHeaders = {} } = event;
  let bytes = 0;
  for (const name of new Set([...Object.keys(headers), ...Object.keys(rawHeaders)])) {
    const values = [headers[name], rawHeaders[name]].filter((value) => value !== undefined);
    bytes += perHeader + Buffer.byteLength(name) + Math.max(...values.map(bytesOfValue));
  }
  return bytes;
}

describe("an event that is stored again", () => {
  it("keeps its headers, name, id and time; what an event from outside lacks is written", () => {
    const event = received({ name: "legacy.import", id: "m-1", time: 5, headers: { tenant: "t", retries: 3 } });
    expect(storeAgain(event, { papa_attempt: "2" }, LARGE)).toEqual({
      name: "legacy.import",
      id: "m-1",
      time: 5,
      headers: {
        tenant: "t",
        retries: "3",
        ce_specversion: "1.0",
        ce_id: "m-1",
        ce_type: "legacy.import",
        ce_source: "unknown",
        ce_time: "1970-01-01T00:00:00.005Z",
        papa_attempt: "2",
      },
      rawHeaders: { retries: 3 },
      body: event.body,
    });
  });

  it("changes what it is told to and nothing else", () => {
    const event = received({ headers: { papa_attempt: "2", papa_cause: "x", tenant: "t" } });
    const { headers } = storeAgain(event, { papa_attempt: "3" }, LARGE);
    expect(headers).toMatchObject({ papa_attempt: "3", papa_cause: "x", tenant: "t" });
  });

  it.each([300, 100_000])(
    "has a name of at most 255 bytes, as a broker's routing key has: of %d it keeps the beginning",
    (length) => {
      const { name, headers } = storeAgain(received({ name: "ñ".repeat(length) }), {}, LARGE);
      expect([name, headers.ce_type]).toEqual(["ñ".repeat(127), "ñ".repeat(127)]);
    },
  );
});

describe("L5 headers of an event from outside that are no text", () => {
  it("come back as they were, beside what stands for them as text", () => {
    const raw = { count: 3, blob: Buffer.from([0xff]), twice: ["a", Buffer.from("b")], table: { a: 1 }, none: null };
    const { headers, rawHeaders } = storeAgain(received({ headers: { ...raw, tenant: "t" } }), {}, LARGE);
    expect(rawHeaders).toEqual(raw);
    expect(headers).toMatchObject({ count: "3", twice: "a", tenant: "t" });
    expect(Object.keys(headers)).not.toContain("blob");
  });

  it("there are none where all are text", () => {
    expect(storeAgain(received({ headers: { tenant: "t" } }), {}, LARGE)).not.toHaveProperty("rawHeaders");
  });

  it("the library's own are never among them, whatever their type", () => {
    const headers = { ce_id: Buffer.from("7"), papa_attempt: 3, ce_time: [1], count: 1 };
    expect(storeAgain(received({ id: undefined, headers }), {}, LARGE).rawHeaders).toEqual({ count: 1 });
  });

  it("go from retry to dead letter as they are", () => {
    const raw = { count: 3, blob: Buffer.from([0xff]) };
    const retry = encodeRetry(received({ headers: raw }), 2, error(), 7, LARGE);
    // As a transport hands it out again that keeps them in their own types.
    const again = received({ ...retry, headers: { ...retry.headers, ...retry.rawHeaders } });
    expect(dead(again, LARGE).rawHeaders).toEqual(raw);
  });

  it("are left out by name where they do not fit, as text and in their own type", () => {
    const event = storeAgain(received({ headers: { blob: Buffer.alloc(100 * KIB, "x"), count: 3 } }), {}, LARGE);
    expect(event.headers).toMatchObject({ count: "3", papa_dropped_headers: "blob", papa_cut: "1 headers" });
    expect(event.headers).not.toHaveProperty("blob");
    expect(event.rawHeaders).toEqual({ count: 3 });
  });
});

describe("D5 what does not fit the broker", () => {
  it("is not cut where it fits", () => {
    const event = received({ headers: { large: "x".repeat(47 * KIB) } });
    const { headers } = dead(event, LARGE, error("m".repeat(4_096), "s".repeat(8_192)));
    expect(headers).not.toHaveProperty("papa_cut");
    expect([headers.large?.length, headers.papa_error_message?.length, headers.papa_error_stack?.length]).toEqual([
      47 * KIB,
      4_096,
      8_192,
    ]);
  });

  it.each([
    ["first the stack, and no more of it than has to go", 60 * KIB - 5_000, "stack", 4_096],
    ["then the message", 60 * KIB + 600, "stack, message", undefined],
    ["then the largest header, whole", 66 * KIB, "stack, message, 1 headers", 0],
  ])("%s", (_, size, cut, message) => {
    const event = received({ headers: { large: "x".repeat(size), tenant: "t" } });
    const letter = dead(event, LARGE, error("m".repeat(4_096), "s".repeat(8_192)));
    const { headers } = letter;
    expect(headers.papa_cut).toBe(cut);
    expect(bytesOf(letter, LARGE)).toBeLessThanOrEqual(LARGE.maxBytes);
    expect(headers.tenant).toBe("t");
    if (message === undefined) {
      expect(headers.papa_error_stack).toBe("");
      expect(headers.papa_error_message).toMatch(/^m+$/);
      expect(headers.papa_error_message?.length).toBeLessThan(4_096);
    } else {
      expect(headers.papa_error_message).toHaveLength(message);
    }
    if (cut === "stack") expect(headers.papa_error_stack?.length).toBeGreaterThan(1_000);
    if (cut.includes("headers")) expect(headers).not.toHaveProperty("large");
    else expect(headers.large).toHaveLength(size);
  });

  it("a cut never splits a character", () => {
    const event = received({ headers: { large: "x".repeat(60 * KIB - 3_001) } });
    const { headers } = dead(event, LARGE, error("m", "☕".repeat(2_730)));
    expect(headers.papa_cut).toBe("stack");
    expect(headers.papa_error_stack).toMatch(/^☕+$/);
  });

  it("the body's bytes never are", () => {
    const body = Buffer.from(JSON.stringify("x".repeat(1_048_574)));
    for (const budget of BUDGETS) {
      const event = received({ body, headers: { large: "x".repeat(100 * KIB) } });
      expect(dead(event, budget).body).toBe(body);
    }
  });

  it("of 2,000 small headers as many are kept as fit, the largest go first, and it says how many and which", () => {
    const small = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`header-${index}`, "value"]));
    const letter = dead(received({ headers: { ...small, larger: "x".repeat(200) } }), {
      maxBytes: 32 * KIB,
      perHeader: 40,
    });
    const kept = Object.keys(letter.headers).filter((name) => name.startsWith("header-"));
    expect(kept.length).toBeGreaterThan(400);
    expect(letter.headers).not.toHaveProperty("larger");
    expect(letter.headers.papa_cut).toBe(`stack, message, ${2_001 - kept.length} headers`);
    expect(letter.headers.papa_dropped_headers).toMatch(/^larger header-\d+ header-\d+/);
    expect(Buffer.byteLength(letter.headers.papa_dropped_headers ?? "")).toBeLessThanOrEqual(255);
  });

  it("what it cannot do without is in it, however small the rest", () => {
    const event = received({ headers: { large: "x".repeat(100 * KIB) } });
    const { headers } = dead(event, { maxBytes: 2 * KIB, perHeader: 8 });
    expect(headers).toMatchObject({ ce_id: "1", ce_type: "a", papa_reason: "rejected", papa_use_case: "log" });
  });

  it("the library's own headers of an earlier cut do not pile up", () => {
    let event = received({ headers: { large: "x".repeat(100 * KIB), tenant: "t" } });
    for (let attempt = 2; attempt < 20; attempt += 1) {
      const retry = encodeRetry(event, attempt, error("m".repeat(9_000)), 7, LARGE);
      expect(bytesOf(retry, LARGE)).toBeLessThan(2_000);
      event = received(retry);
    }
    expect(dead(event, LARGE).headers).toMatchObject({ papa_dropped_headers: "large", tenant: "t" });
  });

  it("what an earlier cut left out is still said when more has to go", () => {
    const first = encodeRetry(
      received({ headers: { large: "x".repeat(100 * KIB), b: "y".repeat(20 * KIB) } }),
      2,
      error(),
      7,
      LARGE,
    );
    expect(first.headers.papa_dropped_headers).toBe("large");
    const second = dead(received(first), { maxBytes: 8 * KIB, perHeader: 8 });
    expect(second.headers).toMatchObject({
      papa_dropped_headers: "large b",
      papa_cut: "stack, message, 2 headers",
    });
    // Also where only the error has to be cut.
    const error8 = error("m".repeat(4_096), "s".repeat(8_192));
    expect(dead(received(first), { maxBytes: 24 * KIB, perHeader: 8 }, error8).headers).toMatchObject({
      papa_dropped_headers: "large",
      papa_cut: "stack, message, 1 headers",
    });
  });

  const header = fc.oneof(
    { weight: 3, arbitrary: fc.string({ unit: "binary", maxLength: 200 }) },
    { weight: 1, arbitrary: fc.nat(80_000).map((length) => "x".repeat(length)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 2_000 }) },
    {
      weight: 1,
      arbitrary: fc.oneof(fc.double(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.boolean()),
    },
    { weight: 1, arbitrary: fc.array(fc.oneof(fc.string({ maxLength: 50 }), fc.double()), { maxLength: 5 }) },
    { weight: 1, arbitrary: fc.dictionary(fc.string({ maxLength: 20 }), fc.string({ maxLength: 50 }), { maxKeys: 5 }) },
  );
  const name = fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 60 }),
    fc.constantFrom(
      "ce_id",
      "ce_type",
      "papa_attempt",
      "papa_cut",
      "papa_dropped_headers",
      "papa_error_stack",
      "traceparent",
    ),
  );
  const headers = fc.oneof(
    { weight: 3, arbitrary: fc.dictionary(name, header, { maxKeys: 40 }) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.nat(3_000), header)
        .map(([count, value]) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`h${index}`, value]))),
    },
  );
  const text = fc.string({ unit: "binary", maxLength: 20_000 });

  it("whatever the headers and the error: retry, forward and dead letter fit the budget, all values are text, the body stays", () => {
    fc.assert(
      fc.property(headers, text, text, fc.constantFrom(...BUDGETS), (given, message, stack, budget) => {
        const event = received({ headers: given });
        const failure = { name: "Error", message, stack };
        const stored = [
          encodeRetry(event, 2, failure, 7, budget),
          encodeForward(event, 7, budget),
          dead(event, budget, failure),
        ];
        for (const each of stored) {
          expect(bytesOf(each, budget)).toBeLessThanOrEqual(budget.maxBytes);
          expect(Object.values(each.headers).filter((value) => typeof value !== "string")).toEqual([]);
          expect(each.body).toBe(event.body);
          expect(each.headers.ce_id).toBe(each.id);
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each(BUDGETS)("odd values, a hundred of each, fit %j", (budget) => {
    for (const value of ODD_VALUES) {
      const given = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`odd-${index}`, value]));
      const letter = dead(received({ headers: given }), budget);
      const { rawHeaders: _, ...asText } = letter;
      expect(bytesOf(asText, budget)).toBeLessThanOrEqual(budget.maxBytes);
    }
  });

  it("without a bound nothing is cut", () => {
    const given = { large: "x".repeat(2_000_000) };
    const { headers: stored } = dead(
      received({ headers: given }),
      UNLIMITED,
      error("m".repeat(9_000), "s".repeat(90_000)),
    );
    expect(stored).toMatchObject(given);
    expect(stored).not.toHaveProperty("papa_cut");
  });
});
