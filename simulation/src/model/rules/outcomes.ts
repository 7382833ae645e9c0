import type { EntryOf, UseCaseNote } from "../../history/entry.ts";
import type { CallState, HandState } from "../hands.ts";
import { deadlineOf, type ProcessState } from "../processes.ts";
import { named } from "../queue.ts";
import { delayProblem } from "../retry-delay.ts";
import { hasTimedOut } from "../timeouts.ts";
import type { Problem } from "./settling.ts";

/** A process's timers may be so late. */
const TIMER_SLACK_MS = 6;

/** What is wrong with what becomes of an event, by how its handler ended. */
export function problemOfOutcome(
  entry: EntryOf<"settles">,
  hand: HandState,
  process: ProcessState,
  declared: UseCaseNote,
): Problem | undefined {
  const { call } = hand;
  if (entry.settlement.kind === "forward") return ["R6", `its own patterns match ${entry.event.name}`];
  if (call === undefined) return ["H1", "its handler was not called"];
  const timedOut = hasTimedOut(call, declared, entry.at);
  if (call.ended === undefined && !timedOut) return ["H1", "its handler still runs"];
  const late = lateness(call, process, entry.at);
  if (late !== undefined) return ["L2", `its handler came to that ${late} ms after the drain timeout`];
  switch (entry.settlement.kind) {
    case "done":
      return problemOfDone(entry.settlement.outputs.map(named), call, process, declared);
    case "retry":
      return problemOfRetry(entry.settlement, hand, call, timedOut, declared);
    case "dead": {
      const reasons = reasonsOf(hand, call, timedOut, declared.retries);
      if (reasons.includes(entry.settlement.reason)) return undefined;
      return ["T1", `its handler ${howEnded(call)} in attempt ${hand.attempt} of ${declared.retries + 1}`];
    }
    default:
      return undefined;
  }
}

function problemOfDone(
  outputs: readonly string[],
  call: CallState,
  process: ProcessState,
  { timeout }: UseCaseNote,
): Problem | undefined {
  const { ended } = call;
  if (ended?.ending.how !== "returned") return ["H1", `its handler ${howEnded(call)}`];
  const returned = ended.ending.outputs.join(", ");
  if (returned !== outputs.join(", "))
    return ["H1", `${outputs.join(", ") || "nothing"} goes out, and its handler returned ${returned || "nothing"}`];
  const took = ended.at - call.at;
  const excused = timeout === 0 || process.wentOn > call.at;
  return excused || took <= timeout + TIMER_SLACK_MS
    ? undefined
    : ["H7", `its handler took ${took} ms, and may take ${timeout}`];
}

function problemOfRetry(
  { attempt, delay }: { readonly attempt: number; readonly delay: number },
  hand: HandState,
  call: CallState,
  timedOut: boolean,
  { retries, retryDelay }: UseCaseNote,
): Problem | undefined {
  const ending = call.ended?.ending;
  const failed = ending?.how === "threw" || ending?.how === "postponed";
  // That what it returned is refused for long is no failure of its.
  const counts = !hand.refused.has("done");
  if (!failed && !timedOut && counts) return ["T1", `its handler ${howEnded(call)}`];
  if (counts && hand.attempt > retries) return ["T1", `attempt ${hand.attempt} was the last of ${retries + 1}`];
  if (attempt !== hand.attempt + (counts ? 1 : 0))
    return ["T4", `it goes on as attempt ${attempt} after attempt ${hand.attempt}`];
  const problem = delayProblem(retryDelay, hand.attempt, delay, ending);
  // Which of two counts that come at one time is for the app to say.
  if (timedOut && delayProblem(retryDelay, hand.attempt, delay, undefined) === undefined) return undefined;
  return problem === undefined ? undefined : ["T2", problem];
}

/** Which reasons an event may be given up for. */
function reasonsOf(hand: HandState, call: CallState, timedOut: boolean, retries: number): string[] {
  const how = call.ended?.ending.how;
  const last = hand.attempt > retries || hand.refusedForGood;
  const failed = timedOut || how === "threw" || how === "postponed";
  const reasons: string[] = [];
  if ((last && failed) || (hand.refusedForGood && hand.refused.has("done"))) reasons.push("retries-exhausted");
  if (how === "returned-invalid" || hand.refused.has("done")) reasons.push("invalid-output");
  if (how === "rejected") reasons.push("rejected");
  return reasons;
}

/** How long after the drain timeout a handler ended or timed out, whose outcome counts (L2); `undefined` where it is in time. */
function lateness({ ended }: CallState, process: ProcessState, now: number): number | undefined {
  const deadline = deadlineOf(process);
  // What was due in a pause comes after it, in its order.
  if (deadline === undefined || process.paused || process.wentOn >= deadline) return undefined;
  const late = (ended?.at ?? now) - deadline;
  return late > TIMER_SLACK_MS ? Math.ceil(late) : undefined;
}

function howEnded({ ended }: CallState): string {
  return ended === undefined ? "has not ended" : ended.ending.how;
}
