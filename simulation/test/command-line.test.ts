import { describe, expect, it } from "vitest";
import { readOptions } from "../src/command-line.ts";

describe("npm run simulate", () => {
  it.each([
    [[], { from: 1, to: 10_000, seed: undefined, threads: 2 }],
    [["--seeds", "2000"], { from: 1, to: 2_000 }],
    [["--from", "5001", "--seeds", "10"], { from: 5_001, to: 5_010 }],
    [["--seed", "4711"], { seed: 4_711 }],
    [["--minutes", "0.5", "--from", "9"], { minutes: 0.5, from: 9 }],
  ])("%j", (args, expected) => {
    expect(readOptions(args)).toMatchObject(expected);
  });

  it("takes other seeds each time that it is to go on for minutes", () => {
    expect(readOptions(["--minutes", "1"]).from).not.toBe(readOptions(["--minutes", "1"]).from);
  });

  it.each([[["--seed", "x"]], [["--seeds", "0"]], [["--minutes", "-1"]], [["--seedz", "1"]]])("refuses %j", (args) => {
    expect(() => readOptions(args)).toThrow();
  });
});
