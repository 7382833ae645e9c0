import { Random } from "../random.ts";
import { forRedis } from "./for-redis.ts";
import { EventFactory } from "./make-events.ts";
import { makeServices } from "./make-services.ts";
import { StepWriter } from "./make-steps.ts";
import type { BrokerKind, NetworkPlan, Plan, Step } from "./plan.ts";

/** The plan of a seed: always the same. */
export function makePlan(seed: number, broker: BrokerKind = "memory"): Plan {
  const random = new Random(`plan ${seed}`);
  const services = makeServices(random);
  const useCases = useCasesOf(services);
  const events = new EventFactory(random, useCases);
  const plan: Plan = {
    schedule: String(seed),
    network: makeNetwork(random),
    services,
    steps: new StepWriter(random, services, useCases, events).write(),
    finish: { before: random.pick(["stop", "kill", "keep"]), versions: random.pick(["newest", "all"]) },
  };
  const paused = withPauses(plan, new Random(`pauses ${seed}`));
  return broker === "redis" ? forRedis(paused, new Random(`redis ${seed}`)) : paused;
}

/** The names of all use cases that any version has. */
export function useCasesOf(services: Plan["services"]): string[] {
  const names = services.flatMap(({ versions }) =>
    versions.flatMap(({ useCases }) => useCases.map(({ name }) => name)),
  );
  return [...new Set(names)];
}

/** Of what operators do, some is to have a use case pause. */
function withPauses(plan: Plan, random: Random): Plan {
  const steps = plan.steps.map((step): Step => {
    if (step.do !== "purge" && step.do !== "redrive") return step;
    if (!random.chance(0.3)) return step;
    return { at: step.at, do: "pause use case", useCase: step.useCase, lasts: random.pick([0, 1_000, 8_000, 30_000]) };
  });
  return { ...plan, steps };
}

/** Half the time the broker in memory as it is; else what others do otherwise. */
function makeNetwork(random: Random): NetworkPlan {
  const plain = random.chance(0.5);
  return {
    broker: "memory",
    lease: 0,
    latency: random.pick([0, 0, 2, 30, 300]),
    timersLate: random.pick([0, 0, 5]),
    atomicOutputs: plain || random.chance(0.5),
    addressedForwarding: plain || random.chance(0.5),
    declarationsComplete: plain || random.chance(0.5),
    copies: !plain && random.chance(0.5),
  };
}
