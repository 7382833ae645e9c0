import { PapaError } from "@papa-events/core";
import type { EncodedEvent, Settlement } from "@papa-events/core/transport";
import type { EventPlan } from "../../plan/plan.ts";

/** How many bytes of headers the broker takes of an event that it refuses for its headers: one that is reduced to the least has fewer. */
const MAX_HEADER_BYTES = 1_500;

/** For now: trying again helps. */
export function refusedForNow(): PapaError {
  const message = "The simulated broker takes nothing for now.";
  return new PapaError("connection-failed", message, { transport: "simulated" }, { retryable: true });
}

/** Makes the error of what the broker never takes. */
export function refusedForGood(): Error {
  return new Error("The simulated broker does not take this, now or later.");
}

/** Whether the broker never stores what a settlement has it store. */
export function isRefusedForGood(
  settlement: Settlement,
  planOf: (event: Pick<EncodedEvent, "id" | "text" | "body">) => EventPlan | undefined,
): boolean {
  switch (settlement.kind) {
    case "release":
      return false;
    case "done":
      return settlement.outputs.some((output) => planOf(output)?.refused === "publishing");
    default:
      return planOf(settlement.event)?.refused === "headers" && headerBytes(settlement.event) > MAX_HEADER_BYTES;
  }
}

function headerBytes({ headers }: EncodedEvent): number {
  return Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
}
