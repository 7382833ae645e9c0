import type { Entry } from "../history/entry.ts";
import type { Plan } from "../plan/plan.ts";
import { Model } from "./model.ts";
import type { Rule } from "./rule.ts";
import { CrashLoopRules } from "./rules/crash-loops.ts";
import { EndingRules } from "./rules/ending.ts";
import { FlowRules } from "./rules/flowing.ts";
import { HandlingRules } from "./rules/handling.ts";
import { IdleRules } from "./rules/idling.ts";
import { LeaseRules } from "./rules/leases.ts";
import { LivingRules } from "./rules/living.ts";
import { PauseRules } from "./rules/pausing.ts";
import { PublishingRules } from "./rules/publishing.ts";
import { SettlingRules } from "./rules/settling.ts";
import { TellingRules } from "./rules/telling.ts";
import type { Violation } from "./violation.ts";

/** More than these say nothing new. */
const MAX_VIOLATIONS = 20;

/** What in a run breaks the contract; the first is the nearest to the cause. */
export function judge(plan: Plan, entries: readonly Entry[]): Violation[] {
  const model = new Model(plan);
  const rules: readonly Rule[] = [
    plan.network.broker === "redis" ? new LeaseRules() : new FlowRules(),
    new IdleRules(),
    new HandlingRules(),
    new SettlingRules(),
    new TellingRules(),
    new PublishingRules(),
    new LivingRules(),
    new CrashLoopRules(),
    new PauseRules(),
    new EndingRules(),
  ];
  const violations: Violation[] = [];
  let at = 0;
  const report = (rule: string, what: string) => {
    violations.push({ rule, at, what });
  };
  for (const entry of entries) {
    if (violations.length >= MAX_VIOLATIONS) return violations;
    for (const rule of rules) rule.before?.(entry, model, report);
    at = entry.at;
    model.see(entry, report);
    for (const rule of rules) rule.see?.(entry, model, report);
  }
  for (const rule of rules) rule.end?.(model, report);
  return violations;
}
