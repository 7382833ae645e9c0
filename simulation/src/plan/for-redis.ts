import type { Random } from "../random.ts";
import type { Behaviour, EventPlan, Plan, Step } from "./plan.ts";

const GRACE_OF_LEASE: Readonly<Record<number, number>> = { 600: 20_000, 2000: 60_000 };

/** Changes a plan to what the transport for Redis does and its simulated server can do. */
export function forRedis(plan: Plan, random: Random): Plan {
  const lease = random.pick([600, 2_000, 15_000]);
  return {
    ...plan,
    network: {
      broker: "redis",
      lease,
      // A lease is longer than the way there and back.
      latency: lease < 2_000 ? Math.min(plan.network.latency, 30) : plan.network.latency,
      timersLate: 0,
      atomicOutputs: true,
      addressedForwarding: true,
      declarationsComplete: true,
      copies: true,
    },
    // Every lease is renewed several times in its length: with short ones, a long grace is a long run.
    services: plan.services.map(({ settings, ...service }) => ({
      ...service,
      settings: {
        ...settings,
        declarationGrace: Math.min(settings.declarationGrace, GRACE_OF_LEASE[lease] ?? 600_000),
      },
    })),
    steps: plan.steps.map((step) => stepForRedis(step, random)),
  };
}

function stepForRedis(step: Step, random: Random): Step {
  switch (step.do) {
    case "cut":
      return { ...step, silent: random.chance(0.4) };
    case "skew":
      return { at: step.at, do: "forget scripts" };
    case "publish":
    case "drop in":
      return { ...step, events: step.events.map(eventForRedis) };
    default:
      return step;
  }
}

/** The server delivers nothing a second time by itself, and refuses no single event. */
function eventForRedis(event: EventPlan): EventPlan {
  const behaviours = Object.entries(event.behaviours).map(([useCase, behaviour]) => [
    useCase,
    behaviourForRedis(behaviour),
  ]);
  return {
    ...event,
    duplicated: false,
    refused: "nothing",
    foreign: event.foreign === "no json" ? "json" : event.foreign,
    behaviours: Object.fromEntries(behaviours),
  };
}

function behaviourForRedis(behaviour: Behaviour): Behaviour {
  if (behaviour.does === "return") return { ...behaviour, outputs: behaviour.outputs.map(eventForRedis) };
  if (behaviour.does === "publish") return { ...behaviour, event: eventForRedis(behaviour.event) };
  return behaviour;
}
