import type { EntryOf } from "../../history/entry.ts";
import type { HandState } from "../hands.ts";
import type { Model } from "../model.ts";
import type { Problem } from "./settling.ts";

/** What is wrong with what becomes of an event that the instance's own patterns do not match (R6). */
export function problemOfForeign(
  { settlement, useCase, event }: EntryOf<"settles">,
  hand: HandState,
  model: Model,
): Problem | undefined {
  // That it was called at all is broken already.
  if (hand.call !== undefined) return undefined;
  // Declarations that came or went in between may be known or not.
  const wanted = hand.wanted && model.bindings.wants(useCase, event.name);
  switch (settlement.kind) {
    case "forward":
      if (settlement.attempt !== hand.attempt)
        return ["R6", `it goes on as attempt ${settlement.attempt}, not ${hand.attempt}`];
      // One that was refused is offered again as it was.
      if (settlement.to === undefined || hand.refused.has("forward")) return undefined;
      if (model.bindings.declarationWants(useCase, settlement.to, event.name)) return undefined;
      return ["R6", `the declaration it is forwarded to does not want ${event.name}`];
    case "done":
      if (wanted) return ["R6", `nobody has handled it, and a declaration wants ${event.name}`];
      if (hand.attempt === 1 && model.copyOf(hand)?.redriven !== true) return undefined;
      return ["R6", "nobody has handled it, and somebody has failed on it or put it back"];
    case "dead":
      if (settlement.reason !== "unknown-event") return ["R6", `its patterns do not match ${event.name}`];
      return wanted && !hand.refusedForGood ? ["R6", `a declaration wants ${event.name}`] : undefined;
    default:
      return ["R6", `its patterns do not match ${event.name}`];
  }
}
