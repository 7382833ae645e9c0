import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nearest } from "../../src/options/nearest.ts";

describe("the nearest known word", () => {
  it.each([
    ["retires", "retries"],
    ["retrie", "retries"],
    ["concurency", "concurrency"],
    ["Concurrency", "concurrency"],
    ["maxpayloadbytes", "maxPayloadBytes"],
    ["MAX_PAYLOAD_BYTES", "maxPayloadBytes"],
    ["on", "on"],
    ["onn", "on"],
  ])("to %s is %s", (word, expected) => {
    expect(nearest(word, ["retries", "concurrency", "maxPayloadBytes", "on", "timeout"])).toBe(expected);
  });

  it.each(["", "prefetch", "maxJobs", "x".repeat(1_000)])("there is none near to %j", (word) => {
    expect(nearest(word, ["retries", "concurrency", "maxPayloadBytes", "timeout"])).toBeUndefined();
    expect(nearest(word, [])).toBeUndefined();
  });

  it("begins alike, of two: half of its letters may differ then", () => {
    expect(nearest("retry", ["retries", "onRetry", "retryDelay"])).toBe("retries");
    expect(nearest("order.pay", ["order.paid", "reorder.pay"])).toBe("order.paid");
    expect(nearest("userABCD", ["userWXYZ"])).toBe("userWXYZ");
    expect(nearest("userABCDE", ["userVWXYZ"])).toBeUndefined();
  });

  it("is the one with the fewest letters to change, the first of several", () => {
    expect(nearest("user.create", ["user.created", "user.creates", "user.deleted"])).toBe("user.created");
    expect(nearest("user.create", ["user.deleted", "user.creates", "user.created"])).toBe("user.creates");
    expect(nearest("cat", ["bat", "cat"])).toBe("cat");
  });

  it("a third of the letters may differ, and no more", () => {
    expect(nearest("abcdef", ["abcdXY"])).toBe("abcdXY");
    expect(nearest("abcdef", ["abcXYZ"])).toBeUndefined();
    // In a short word one may, else nothing would be near to it.
    expect(nearest("a", ["b"])).toBe("b");
    expect(nearest("ab", ["cd"])).toBeUndefined();
  });

  it("one letter inserted, deleted or replaced is near, wherever it is", () => {
    const slips = [
      (word: string, at: number) => `${word.slice(0, at)}x${word.slice(at)}`,
      (word: string, at: number) => word.slice(0, at) + word.slice(at + 1),
      (word: string, at: number) => `${word.slice(0, at)}x${word.slice(at + 1)}`,
    ];
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{4,20}$/), fc.nat(), fc.constantFrom(...slips), (known, position, slip) => {
        return nearest(slip(known, position % known.length), [known]) === known;
      }),
    );
  });
});
