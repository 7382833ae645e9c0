import type { OutputEvent } from "@papa-events/core";
import type { EventPlan } from "../plan/plan.ts";

/** Makes the payload of an event: what it is called, and as many bytes as it is to have. */
export function payloadOf({ label, bytes }: EventPlan): unknown {
  return bytes === 0 ? { label } : { label, filler: "x".repeat(bytes) };
}

/** Makes the body of an event that a program without the library publishes. */
export function bodyOf(event: EventPlan): string {
  return event.foreign === "no json" ? `${event.label} is no JSON` : JSON.stringify(payloadOf(event));
}

/** Makes what a handler returns for an event. */
export function outputOf(event: EventPlan): OutputEvent {
  const output = { name: event.name, payload: payloadOf(event) };
  return Object.keys(event.headers).length === 0 ? output : { ...output, headers: event.headers };
}
