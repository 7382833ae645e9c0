import type { Plan } from "../plan/plan.ts";
import { reductions } from "../plan/reductions.ts";
import { real } from "../sealed/real.ts";
import { tryPlan } from "./run-seed.ts";

/** Real time and runs that making a plan small may take. */
const MAX_MS = 30_000;
const MAX_RUNS = 3_000;
/** How many other orders are tried for a smaller plan that does not fail in the order of the larger one. */
const OTHER_ORDERS = 4;

/**
 * Makes a plan that breaks a rule smaller, as long as it still breaks it: leaves out steps, events, services, then makes
 * simpler what is left.
 */
export async function shrink(plan: Plan, rule: string): Promise<{ readonly plan: Plan; readonly runs: number }> {
  const begun = real.performanceNow();
  let smallest = plan;
  let runs = 0;
  const mayGoOn = () => runs < MAX_RUNS && real.performanceNow() - begun < MAX_MS;
  const fails = async (candidate: Plan): Promise<Plan | undefined> => {
    for (let order = 0; order <= OTHER_ORDERS && mayGoOn(); order += 1) {
      const tried = order === 0 ? candidate : { ...candidate, schedule: `${candidate.schedule}+${order}` };
      runs += 1;
      const { violations } = await tryPlan(tried);
      if (violations.some((violation) => violation.rule === rule)) return tried;
    }
    return undefined;
  };
  for (let improved = true; improved && mayGoOn(); ) {
    improved = false;
    for (const kind of reductions) {
      // Again from the plan that it led to, as long as it leads to one.
      for (let again = true; again && mayGoOn(); ) {
        again = false;
        for (const candidate of kind(smallest)) {
          const failing = await fails(candidate);
          if (failing === undefined) continue;
          smallest = failing;
          improved = again = true;
          break;
        }
      }
    }
  }
  return { plan: smallest, runs };
}
