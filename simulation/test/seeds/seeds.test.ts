import { describe, expect, it } from "vitest";
import { plantedFaults } from "../../src/planted/faults.ts";
import { explainSeed, search } from "../../src/seeds/pool.ts";

const FAULT = plantedFaults.find(({ name }) => name === "a clean stop counts as a death");

describe("a seed", () => {
  it("comes to the same in every thread, whatever ran there before", async () => {
    const once = await explainSeed(7, "memory", undefined, true);
    const again = await explainSeed(7, "memory", undefined, true);
    expect(once.failed).toBe(false);
    expect(once.text).toContain("What happens, in milliseconds:");
    expect(again.text).toBe(once.text);
  });

  it("that fails is made small, told step by step, and repeated by one command", async () => {
    const { failures } = await search({ from: 1, to: 2_000, threads: 1, fault: FAULT });
    const seed = failures[0]?.seed ?? 0;
    const { failed, text } = await explainSeed(seed, "memory", FAULT, false);
    expect(failed).toBe(true);
    expect(text).toContain(
      `Repeat it with: npm run simulate -- --seed ${seed} --fault "a clean stop counts as a death"`,
    );
    const [, from, to] = /(\d+) steps with \d+ events became (\d+) steps/.exec(text) ?? [];
    expect(Number(to)).toBeLessThan(Number(from));
    expect(Number(to)).toBeLessThanOrEqual(8);
    expect(text).toMatch(/stops, as planned.*takes back what \S+ has: it closed.*came back 1 times.*Broken:.*T6/s);
  });

  it("is searched for in all threads, and the first that fails is named", async () => {
    const { seeds, failures } = await search({ from: 1, to: 60, threads: 2, fault: FAULT, all: true });
    expect(seeds).toBe(60);
    expect(failures.length).toBeGreaterThan(1);
    expect(failures.map(({ seed }) => seed)).toEqual(failures.map(({ seed }) => seed).sort((a, b) => a - b));
  });
});
