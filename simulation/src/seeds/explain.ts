import { tellEntry } from "../history/tell.ts";
import { eventsOf } from "../plan/events-of.ts";
import { makePlan } from "../plan/make-plan.ts";
import type { BrokerKind, Plan } from "../plan/plan.ts";
import { tellPlan } from "../plan/tell-plan.ts";
import { type SeedResult, tryPlan } from "./run-seed.ts";
import { shrink } from "./shrink.ts";

export interface ExplainOptions {
  readonly broker: BrokerKind;
  /** To tell what happens also where nothing fails. */
  readonly history: boolean;
  /** The planted fault that is in the code. */
  readonly fault: string | undefined;
}

/** Runs a seed; where it fails, makes it as small as it gets, and tells what happens. */
export async function explain(
  seed: number,
  { broker, history, fault }: ExplainOptions,
): Promise<{ readonly failed: boolean; readonly text: string }> {
  const found = await tryPlan(makePlan(seed, broker));
  const [violation] = found.violations;
  if (violation === undefined) {
    const text = history ? await tell(found.plan) : "";
    return { failed: false, text: `${text}Seed ${seed} passes: ${found.tasks} tasks.\n` };
  }
  const { plan, runs } = await shrink(found.plan, violation.rule);
  return {
    failed: true,
    text:
      `Seed ${seed} breaks ${violation.rule}: ${violation.what}\n` +
      `Repeat it with: npm run simulate -- --seed ${seed}${broker === "memory" ? "" : ` --broker ${broker}`}${fault === undefined ? "" : ` --fault "${fault}"`}\n\n` +
      `Made small in ${runs} runs: ${sizeOf(found.plan)} became ${sizeOf(plan)}.\n\n${await tell(plan)}`,
  };
}

function sizeOf(plan: Plan): string {
  return `${plan.steps.length} steps with ${eventsOf(plan).size} events`;
}

async function tell(plan: Plan): Promise<string> {
  const result = await tryPlan(plan, true);
  return `${tellPlan(plan)}\n\nWhat happens, in milliseconds:\n\n${tellHistory(result)}\n`;
}

function tellHistory({ entries, violations }: SeedResult): string {
  const lines = entries.flatMap((entry) => {
    const text = tellEntry(entry);
    return text === undefined ? [] : [`${entry.at.toFixed(0).padStart(9)}  ${text}`];
  });
  const broken = violations.map(({ rule, at, what }) => `${at.toFixed(0).padStart(9)}  ${rule}  ${what}`);
  return `${lines.join("\n")}\n\nBroken:\n\n${broken.join("\n") || "        nothing"}`;
}
