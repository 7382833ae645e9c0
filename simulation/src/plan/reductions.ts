import type { Behaviour, EventPlan, Plan, ServicePlan, Step, UseCasePlan, VersionPlan } from "./plan.ts";

/** Ways to make a plan smaller: each gives smaller plans, the smallest first. */
export const reductions: readonly ((plan: Plan) => Iterable<Plan>)[] = [
  leaveOutSteps,
  leaveOutEvents,
  leaveOutServices,
  leaveOutVersions,
  leaveOutUseCases,
  simplifyNetwork,
  simplifyFinish,
  simplifyEvents,
  simplifyUseCases,
  simplifySteps,
];

function* leaveOutSteps(plan: Plan): Iterable<Plan> {
  for (const steps of withoutSome(plan.steps)) yield { ...plan, steps };
}

/** A list without a half, a quarter and so on of its members, down to one. */
function* withoutSome<T>(list: readonly T[]): Iterable<readonly T[]> {
  for (let size = Math.ceil(list.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < list.length; from += size)
      yield list.filter((_, index) => index < from || index >= from + size);
  }
}

function* leaveOutEvents(plan: Plan): Iterable<Plan> {
  for (const [index, step] of plan.steps.entries()) {
    if (!("events" in step) || step.events.length < 2) continue;
    for (const events of withoutSome(step.events))
      if (events.length > 0) yield withStep(plan, index, { ...step, events });
  }
}

function withStep(plan: Plan, index: number, step: Step): Plan {
  return { ...plan, steps: plan.steps.map((each, at) => (at === index ? step : each)) };
}

function* leaveOutServices(plan: Plan): Iterable<Plan> {
  for (const { name } of plan.services) {
    if (plan.services.length === 1) return;
    const services = plan.services.filter((service) => service.name !== name);
    yield { ...plan, services, steps: plan.steps.filter((step) => step.do !== "start" || step.service !== name) };
  }
}

function* leaveOutVersions(plan: Plan): Iterable<Plan> {
  for (const service of plan.services) {
    for (const left of service.versions.keys()) {
      if (service.versions.length === 1) continue;
      const versions = service.versions.filter((_, version) => version !== left);
      const steps = plan.steps.map((step) =>
        step.do !== "start" || step.service !== service.name || step.version < left
          ? step
          : { ...step, version: Math.max(0, step.version - 1) },
      );
      yield { ...withService(plan, { ...service, versions }), steps };
    }
  }
}

function withService(plan: Plan, service: ServicePlan): Plan {
  return { ...plan, services: plan.services.map((each) => (each.name === service.name ? service : each)) };
}

function* leaveOutUseCases(plan: Plan): Iterable<Plan> {
  for (const [service, version, index] of everyUseCase(plan)) {
    const { useCases } = version;
    if (useCases.length > 1)
      yield withVersion(plan, service, version, { useCases: useCases.filter((_, at) => at !== index) });
  }
}

function* everyUseCase(plan: Plan): Iterable<readonly [ServicePlan, VersionPlan, number, UseCasePlan]> {
  for (const service of plan.services)
    for (const version of service.versions)
      for (const [index, useCase] of version.useCases.entries()) yield [service, version, index, useCase];
}

function withVersion(plan: Plan, service: ServicePlan, old: VersionPlan, version: VersionPlan): Plan {
  return withService(plan, { ...service, versions: service.versions.map((each) => (each === old ? version : each)) });
}

/** What differs from the plainest there is, one after another. */
function* simpler<T extends object>(value: T, plainest: Partial<T>): Iterable<T> {
  for (const [member, plain] of Object.entries(plainest))
    if (JSON.stringify(value[member as keyof T]) !== JSON.stringify(plain)) yield { ...value, [member]: plain };
}

function* simplifyNetwork(plan: Plan): Iterable<Plan> {
  const plainest = {
    latency: 0,
    timersLate: 0,
    atomicOutputs: true,
    addressedForwarding: true,
    declarationsComplete: true,
    copies: false,
  };
  for (const network of simpler(plan.network, plainest)) yield { ...plan, network };
}

function* simplifyFinish(plan: Plan): Iterable<Plan> {
  for (const finish of simpler(plan.finish, { before: "keep", versions: "newest" })) yield { ...plan, finish };
}

function* simplifyEvents(plan: Plan): Iterable<Plan> {
  for (const [index, step] of plan.steps.entries()) {
    if (!("events" in step)) continue;
    for (const [at, event] of step.events.entries()) {
      for (const simple of simplerEvents(event))
        yield withStep(plan, index, {
          ...step,
          events: step.events.map((each, other) => (other === at ? simple : each)),
        });
    }
  }
}

function* simplerEvents(event: EventPlan): Iterable<EventPlan> {
  if (event.foreign === "no json") yield { ...event, foreign: "json" };
  yield* simpler(event, { behaviours: {}, bytes: 0, headers: {}, duplicated: false, refused: "nothing", ownId: true });
  for (const [useCase, behaviour] of Object.entries(event.behaviours)) {
    const { [useCase]: _, ...others } = event.behaviours;
    yield { ...event, behaviours: others };
    for (const simple of simplerBehaviours(behaviour)) yield { ...event, behaviours: { ...others, [useCase]: simple } };
  }
}

function* simplerBehaviours(behaviour: Behaviour): Iterable<Behaviour> {
  if (behaviour.takes > 0) yield { ...behaviour, takes: 0 };
  if ("times" in behaviour && behaviour.times > 1) yield { ...behaviour, times: Math.min(3, behaviour.times - 1) };
  if (behaviour.does === "return") {
    for (const outputs of withoutSome(behaviour.outputs)) yield { ...behaviour, outputs };
    for (const [at, output] of behaviour.outputs.entries())
      for (const simple of simplerEvents(output))
        yield { ...behaviour, outputs: behaviour.outputs.map((each, other) => (other === at ? simple : each)) };
  }
  if (behaviour.does === "publish") for (const event of simplerEvents(behaviour.event)) yield { ...behaviour, event };
}

function* simplifyUseCases(plan: Plan): Iterable<Plan> {
  const plainest: Partial<UseCasePlan> = {
    retries: 0,
    retryDelay: { kind: "fixed", delay: 100 },
    concurrency: 1,
    timeout: 0,
  };
  for (const [service, version, index, useCase] of everyUseCase(plan)) {
    const simplerOnes = [...simpler(useCase, plainest)];
    for (const patterns of withoutSome(useCase.patterns))
      if (patterns.length > 0) simplerOnes.push({ ...useCase, patterns });
    for (const simple of simplerOnes)
      yield withVersion(plan, service, version, {
        useCases: version.useCases.map((each, at) => (at === index ? simple : each)),
      });
  }
}

function* simplifySteps(plan: Plan): Iterable<Plan> {
  for (const [index, step] of plan.steps.entries()) {
    if ("lasts" in step && step.lasts > 0) yield withStep(plan, index, { ...step, lasts: 0 });
    if (step.do === "publish" && step.together) yield withStep(plan, index, { ...step, together: false });
  }
}
