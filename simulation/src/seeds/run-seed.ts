import { createHash } from "node:crypto";
import type { Entry } from "../history/entry.ts";
import { judge } from "../model/judge.ts";
import type { Violation } from "../model/violation.ts";
import { makePlan } from "../plan/make-plan.ts";
import type { BrokerKind, Plan } from "../plan/plan.ts";
import { runPlan } from "../world/run-plan.ts";

/** What a seed comes to. */
export interface SeedResult {
  readonly plan: Plan;
  readonly violations: readonly Violation[];
  readonly entries: readonly Entry[];
  readonly tasks: number;
}

/** Runs a plan and judges it. In a sealed thread only. */
export async function tryPlan(plan: Plan, logs = false): Promise<SeedResult> {
  const { entries, tasks } = await runPlan(plan, logs);
  return { plan, violations: judge(plan, entries), entries, tasks };
}

/** Runs the plan of a seed, a second time too where `twice`: what differs then comes from outside of the simulation. */
export async function trySeed(seed: number, broker: BrokerKind = "memory", twice = false): Promise<SeedResult> {
  const result = await tryPlan(makePlan(seed, broker));
  if (!twice || result.violations.length > 0) return result;
  const again = await tryPlan(makePlan(seed, broker));
  if (digest(result.entries) === digest(again.entries)) return result;
  const what = "the same seed comes to something else the second time: something real decides in it";
  return { ...result, violations: [{ rule: "run", at: 0, what }] };
}

/** Ids that the library makes of a counter differ by how many were made before in this process. */
const MADE_ID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g;

function digest(entries: readonly Entry[]): string {
  return createHash("sha256").update(JSON.stringify(entries).replace(MADE_ID, "")).digest("hex");
}
