import { describe, expect, it } from "vitest";
import { Random } from "../src/random.ts";

const numbers = (random: Random) => Array.from({ length: 20 }, () => random.next());

describe("Random", () => {
  it("gives the same numbers for the same seed, and others for another", () => {
    expect(numbers(new Random("1"))).toEqual(numbers(new Random("1")));
    expect(numbers(new Random("1"))).not.toEqual(numbers(new Random("2")));
  });

  it("gives a fork numbers of its own, whatever else is drawn", () => {
    const one = new Random("1");
    const other = new Random("1");
    other.next();
    expect(numbers(one.fork("a"))).toEqual(numbers(other.fork("a")));
    expect(numbers(one.fork("a"))).not.toEqual(numbers(one.fork("b")));
  });

  it("draws whole numbers from the least to the greatest, all of them", () => {
    const random = new Random("1");
    const drawn = new Set(Array.from({ length: 200 }, () => random.integer(3, 6)));
    expect([...drawn].sort()).toEqual([3, 4, 5, 6]);
  });
});
