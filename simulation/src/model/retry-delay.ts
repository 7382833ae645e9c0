import type { Ending } from "../history/entry.ts";
import type { RetryDelayPlan } from "../plan/plan.ts";

/** What is wrong with the delay of a retry (T2, T5); `undefined` where nothing is. */
export function delayProblem(
  plan: RetryDelayPlan,
  attempt: number,
  delay: number,
  ending: Ending | undefined,
): string | undefined {
  const [least, most] = ending?.how === "postponed" ? [ending.delay, ending.delay] : boundsOf(plan, attempt);
  if (delay >= least && delay <= most) return undefined;
  return `its delay is ${delay} ms, not ${least === most ? least : `${least} to ${most}`} ms`;
}

function boundsOf(plan: RetryDelayPlan, attempt: number): readonly [number, number] {
  switch (plan.kind) {
    case "fixed":
      return [plan.delay, plan.delay];
    case "function":
      return [plan.delay * attempt, plan.delay * attempt];
    case "exponential": {
      const most = Math.min(plan.first * 2 ** (attempt - 1), 3_600_000);
      return [Math.floor(most * (1 - plan.jitter)), most];
    }
  }
}
