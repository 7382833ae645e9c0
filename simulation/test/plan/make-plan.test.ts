import { describe, expect, it } from "vitest";
import { eventsOf } from "../../src/plan/events-of.ts";
import { makePlan } from "../../src/plan/make-plan.ts";

const plans = Array.from({ length: 300 }, (_, seed) => makePlan(seed + 1));

describe("makePlan", () => {
  it("makes the same of the same seed, and something else of another", () => {
    expect(makePlan(7)).toEqual(plans[6]);
    expect(new Set(plans.map((plan) => JSON.stringify(plan))).size).toBe(plans.length);
  });

  it("survives JSON", () => {
    for (const plan of plans.slice(0, 20)) expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  it("has everything happen somewhere", () => {
    const steps = new Set(plans.flatMap((plan) => plan.steps.map((step) => step.do)));
    expect([...steps].sort()).toEqual(
      [
        "cut",
        "drop in",
        "kill",
        "outage",
        "pause",
        "pause use case",
        "publish",
        "purge",
        "redrive",
        "refuse",
        "skew",
        "start",
        "stop",
      ].sort(),
    );
    const behaviours = new Set(
      plans.flatMap((plan) =>
        [...eventsOf(plan).values()].flatMap((event) => Object.values(event.behaviours).map(({ does }) => does)),
      ),
    );
    expect([...behaviours].sort()).toEqual(
      ["die", "fail", "hang", "postpone", "publish", "reject", "return", "return-invalid", "stop"].sort(),
    );
  });

  it("keeps the steps in the order of their times", () => {
    for (const { steps } of plans) expect(steps).toEqual([...steps].sort((one, other) => one.at - other.at));
  });
});
