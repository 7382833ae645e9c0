import type { HandState } from "../hands.ts";
import type { Model } from "../model.ts";

/** How long a suspect waits to be alone, and the others for it, less what recording its trial takes (T6). */
const MAX_WAIT_MS = 9_000;

/** What a handler runs beside although one of them is a suspect: what takes long is not waited for. */
export function besideSuspects(hand: HandState, at: number, model: Model): HandState[] {
  const since = at - MAX_WAIT_MS + 4 * model.plan.network.latency;
  return model.hands
    .runningIn(hand.process)
    .filter(
      (other) =>
        other !== hand &&
        (hand.suspect === true || other.suspect === true) &&
        other.call !== undefined &&
        other.call.at > since &&
        model.hands.isUnique(other),
    );
}
