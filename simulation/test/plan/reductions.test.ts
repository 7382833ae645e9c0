import { describe, expect, it } from "vitest";
import { makePlan } from "../../src/plan/make-plan.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { reductions } from "../../src/plan/reductions.ts";

describe("reductions", () => {
  it("give plans that are different and whole: every start names a service and a version that is there", () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const plan = makePlan(seed);
      for (const smaller of reductions.flatMap((reduce) => [...reduce(plan)])) {
        expect(smaller).not.toEqual(plan);
        for (const step of smaller.steps) {
          if (step.do !== "start") continue;
          const service = smaller.services.find(({ name }) => name === step.service);
          expect(service?.versions[step.version]).toBeDefined();
        }
      }
    }
  });

  it("come to an end: whatever is taken, in the end nothing is left to leave out", () => {
    let plan = makePlan(3);
    let steps = 0;
    for (let next: Plan | undefined = plan; next !== undefined; steps += 1) {
      plan = next;
      next = reductions.map((reduce) => [...reduce(plan)][0]).find((smaller) => smaller !== undefined);
    }
    expect(plan.steps).toEqual([]);
    expect(plan.services).toHaveLength(1);
    expect(steps).toBeGreaterThan(3);
  });
});
