import { expect, test } from "vitest";
import { delayStep } from "../../src/waiting/delay-steps.ts";

test("T2 delays are rounded up, by at most a second or a tenth, to about a hundred steps", () => {
  const steps = new Set<number>();
  for (let delay = 1; delay < 600_000; delay += 37) {
    const step = delayStep(delay);
    expect(step).toBeGreaterThanOrEqual(delay);
    expect(step - delay).toBeLessThan(Math.max(550, delay * 0.095));
    steps.add(step);
  }
  expect(steps.size).toBeLessThan(100);
  for (const written of [100, 1_000, 10_000, 30_000, 60_000, 300_000, 3_600_000])
    expect(delayStep(written)).toBe(written);
  expect([delayStep(0), delayStep(-1), delayStep(Number.NaN)]).toEqual([0, 0, 0]);
  expect(delayStep(1e12)).toBeLessThan(2 ** 32);
});
