import type { EventPlan, Plan } from "./plan.ts";

/** All events of a plan by their labels, outputs of outputs included. */
export function eventsOf({ steps }: Plan): ReadonlyMap<string, EventPlan> {
  const events = new Map<string, EventPlan>();
  const add = (event: EventPlan) => {
    events.set(event.label, event);
    for (const behaviour of Object.values(event.behaviours)) {
      if (behaviour.does === "return") behaviour.outputs.forEach(add);
      if (behaviour.does === "publish") add(behaviour.event);
    }
  };
  for (const step of steps) if ("events" in step) step.events.forEach(add);
  return events;
}
