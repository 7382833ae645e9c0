import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ExponentialOptions, exponential } from "../../src/index.ts";
import { toDelayFunction } from "../../src/retry/retry-delay.ts";
import { thrownBy } from "../support.ts";

const delaysOf = (options: ExponentialOptions, attempts: number[]) => attempts.map(exponential(options));

describe("T2 exponential", () => {
  it("doubles from the first delay, up to an hour, unless told otherwise", () => {
    expect(delaysOf({ first: "1s", jitter: 0 }, [1, 2, 3, 4, 12, 13, 2_000])).toEqual([
      1_000, 2_000, 4_000, 8_000, 2_048_000, 3_600_000, 3_600_000,
    ]);
  });

  it("takes a factor and a cap", () => {
    expect(delaysOf({ first: 100, factor: 3, max: "500ms", jitter: 0 }, [1, 2, 3, 4])).toEqual([100, 300, 500, 500]);
    expect(delaysOf({ first: 100, factor: 1, jitter: 0 }, [1, 9])).toEqual([100, 100]);
  });

  it("a first delay of more than an hour is its own cap", () => {
    expect(delaysOf({ first: "2h", jitter: 0 }, [1, 2])).toEqual([7_200_000, 7_200_000]);
  });

  it("jitter only shortens, by no more than its share, and differs from one to the next", () => {
    const delay = exponential({ first: "10s", jitter: 0.2 });
    const delays = Array.from({ length: 500 }, () => delay(1));
    expect(Math.max(...delays)).toBeLessThanOrEqual(10_000);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(8_000);
    expect(new Set(delays).size).toBeGreaterThan(400);
  });

  it("gives a delay of 0 to max, whatever the attempt", () => {
    const options = fc.record({
      first: fc.integer({ min: 1, max: 1_000_000 }),
      factor: fc.double({ min: 1, max: 100, noNaN: true }),
      max: fc.integer({ min: 1_000_000, max: 10_000_000 }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(options, fc.integer({ min: 1, max: 1_000_000 }), (given, attempt) => {
        const delay = exponential(given)(attempt);
        return delay >= 0 && delay <= given.max;
      }),
    );
  });

  it.each<[unknown, string, string]>([
    [undefined, "exponential", "options are an object"],
    ["10s", "exponential", "options are an object"],
    [{}, "exponential: first", "undefined is not a valid duration"],
    [{ first: "ten" }, "exponential: first", 'the string "ten" is not a valid duration'],
    [{ first: "1s", maximum: "5m" }, "exponential", 'unknown option "maximum"; there are first, factor, max, jitter'],
    [{ first: "10s", max: "1s" }, "exponential: max", "1s is shorter than first, 10s"],
    [{ first: "1s", factor: 0.5 }, "exponential: factor", "0.5 is not a number of at least 1"],
    [{ first: "1s", factor: Number.POSITIVE_INFINITY }, "exponential: factor", "Infinity is not a number"],
    [{ first: "1s", factor: "2" }, "exponential: factor", "2 is not a number"],
    [{ first: "1s", jitter: 1.1 }, "exponential: jitter", "1.1 is not a number from 0 to 1"],
    [{ first: "1s", jitter: -0.1 }, "exponential: jitter", "-0.1 is not a number from 0 to 1"],
    [{ first: "1s", jitter: "0.5" }, "exponential: jitter", "0.5 is not a number from 0 to 1"],
    [{ first: "1s", jitter: Number.NaN }, "exponential: jitter", "NaN is not a number from 0 to 1"],
  ])("refuses %j", (options, option, problem) => {
    const error = thrownBy(() => exponential(options as ExponentialOptions));
    expect(error).toMatchObject({ code: "invalid-option", details: { option } });
    expect(error).toHaveProperty("message", expect.stringContaining(`${option}: ${problem}`));
  });
});

describe("T2 a retry delay as a function", () => {
  it("is rounded up to whole milliseconds, so that it is never early", () => {
    expect(toDelayFunction(0.2, "x")(1, undefined)).toBe(1);
    expect(toDelayFunction(() => 10.01, "x")(1, undefined)).toBe(11);
  });

  it("gets the attempt that failed and its error", () => {
    const error = new Error("failed");
    const delay = toDelayFunction((attempt, failure) => (failure === error ? attempt * 1_000 : "1h"), "x");
    expect([delay(3, error), delay(3, new Error("other"))]).toEqual([3_000, 3_600_000]);
  });

  it.each([undefined, null, "soon", -1, Number.NaN, Promise.resolve(5)])("that returns %s tells so", (returned) => {
    const delay = toDelayFunction(() => returned as never, 'useCase "log": retryDelay');
    expect(thrownBy(() => delay(1, undefined))).toMatchObject({
      code: "invalid-option",
      details: { option: 'useCase "log": retryDelay' },
    });
  });
});
