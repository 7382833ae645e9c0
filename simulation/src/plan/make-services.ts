import type { Random } from "../random.ts";
import { makePatterns } from "./make-patterns.ts";
import type { RetryDelayPlan, ServicePlan, SettingsPlan, UseCasePlan, VersionPlan } from "./plan.ts";

/** One to three services; one use case in eight is declared by two of them. */
export function makeServices(random: Random): ServicePlan[] {
  const services: ServicePlan[] = [];
  const known: UseCasePlan[] = [];
  // One for all: whoever has a shorter one withdraws what the others repeat too seldom for it.
  const declarationGrace = random.pick([20_000, 60_000, 600_000]);
  for (const name of ["orders", "mail", "stock"].slice(0, random.pick([1, 1, 2, 2, 3]))) {
    const useCases = Array.from({ length: random.pick([1, 1, 2, 3]) }, (_, index) => {
      const shared = random.pick(known);
      if (shared !== undefined && random.chance(0.12)) return makeUseCase(random, shared.name);
      return makeUseCase(random, `${name}_${index + 1}`);
    });
    const unique = useCases.filter(
      (useCase, index) => useCases.findIndex((each) => each.name === useCase.name) === index,
    );
    known.push(...unique);
    services.push({ name, settings: makeSettings(random, declarationGrace), versions: makeVersions(random, unique) });
  }
  return services;
}

function makeSettings(random: Random, declarationGrace: number): SettingsPlan {
  return {
    crashLimit: random.pick([1, 2, 3]),
    drainTimeout: random.pick([0, 50, 500, 3_000, 30_000]),
    publishTimeout: random.pick([1_000, 5_000, 30_000]),
    declarationGrace,
    maxHeldBytes: random.pick([2_000, 20_000, 67_108_864]),
    waitForBroker: random.pick([0, 0, 60_000]),
  };
}

function makeUseCase(random: Random, name: string): UseCasePlan {
  return {
    name,
    patterns: makePatterns(random),
    retries: random.pick([0, 1, 2, 3, 5]),
    retryDelay: makeRetryDelay(random),
    concurrency: random.pick([1, 1, 2, 3, 20]),
    timeout: random.pick([0, 0, 0, 100, 2_000]),
  };
}

function makeRetryDelay(random: Random): RetryDelayPlan {
  const kind = random.pick(["fixed", "fixed", "exponential", "function"] as const);
  if (kind === "exponential") return { kind, first: random.pick([10, 500, 5_000]), jitter: random.pick([0, 0.2, 1]) };
  return { kind, delay: random.pick([0, 5, 100, 1_000, 10_000]) };
}

/** A deploy changes patterns, adds and drops use cases. */
function makeVersions(random: Random, first: readonly UseCasePlan[]): VersionPlan[] {
  const versions: VersionPlan[] = [{ useCases: first }];
  for (let more = random.pick([0, 0, 1, 1, 2]); more > 0; more -= 1) {
    const before = versions.at(-1)?.useCases ?? first;
    const kept = before.length > 1 ? random.some(before, 0.9) : before;
    versions.push({
      useCases: (kept.length > 0 ? kept : before).map((useCase) =>
        random.chance(0.6) ? { ...useCase, patterns: makePatterns(random) } : useCase,
      ),
    });
  }
  return versions;
}
