import type { Plan } from "./plan.ts";

/** Tells what a plan is about: the services, the network, and what is published. */
export function tellPlan({ services, network, steps }: Plan): string {
  const lines = [`The network: ${JSON.stringify(network)}`];
  for (const { name, settings, versions } of services) {
    lines.push(`The service "${name}": ${JSON.stringify(settings)}`);
    for (const [index, { useCases }] of versions.entries())
      for (const useCase of useCases) lines.push(`  version ${index + 1}: ${JSON.stringify(useCase)}`);
  }
  for (const step of steps)
    if ("events" in step) for (const event of step.events) lines.push(`The event ${JSON.stringify(event)}`);
  return lines.join("\n");
}
