import { deadLetters } from "@papa-events/core";
import type { Broker } from "../brokers/index.ts";
import type { Target } from "./brokers/target.ts";
import type { Count } from "./counting/count.ts";
import type { Scenario } from "./scenarios/index.ts";
import { Stage } from "./stage/stage.ts";
import { type Access, transportOf } from "./workers/access.ts";
import { USE_CASES } from "./workers/order.ts";

/** How many events a problem names. */
const SOME = 5;

export interface ScenarioRun {
  readonly target: Target;
  readonly broker: Broker;
  /** One that nobody has used. */
  readonly namespace: string;
  readonly events: number;
  /** Fewer faults than the scenario has. */
  readonly times?: number | undefined;
  /** How long nothing at all may happen before the rest counts as lost, in milliseconds; three minutes unless set. */
  readonly patience?: number | undefined;
  /** Called with what a long scenario has done so far. */
  readonly onProgress?: ((done: string) => void) | undefined;
}

/** Plays a scenario and counts. Never rejects for what the transport does. */
export async function runScenario(scenario: Scenario, run: ScenarioRun): Promise<Count> {
  const { target, broker, namespace, events, times = scenario.times, patience, onProgress } = run;
  const { alert = false, fleet = 2, collectors, failing, poison, concurrency, drainTimeout, takes } = scenario;
  const proxy = await broker.proxy();
  const handling = { failing, poison, concurrency, drainTimeout, takes: takes?.(events) };
  const supervised = poison !== undefined;
  const stage = new Stage({
    ...{ target, broker, proxy, namespace, events, patience, onProgress },
    ...{ fleet, alert, handling, supervised },
  });
  const { ledger, problems, handlers, notes } = stage;
  const begun = performance.now();
  let seconds = 0;
  let shares: readonly number[] = [];
  try {
    await stage.open(collectors);
    await scenario.play(stage, times);
    await stage.finish();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    problems.push(text.replaceAll(/\s*\n\s*/g, " "));
  } finally {
    seconds = (performance.now() - begun) / 1_000;
    shares = handlers.shares;
    await stage.close();
  }
  const { confirmed, handled, unhandled, withoutOutput, repeats, duplicateOutputs, outputsAlone } = ledger;
  const dead = await deadLettersOf(target.access(broker, namespace)).catch((error: unknown) => {
    problems.push(`the dead letters cannot be counted: ${String(error)}`);
    return 0;
  });
  for (const [message, count] of ledger.logged) notes.push(`logged as an error: ${count} x "${message}"`);
  const lost = Math.max(0, unhandled - dead);
  problems.push(...brokenPromises(stage, dead, scenario.dead ?? 0));
  return {
    scenario: scenario.name,
    ...{ what: scenario.what, times, confirmed, handled, lost, dead, lostOutputs: withoutOutput },
    ...{ repeats, duplicateOutputs, outputsAlone, shares, seconds, peakMemory: stage.peakMemory, notes, problems },
  };
}

function brokenPromises({ ledger }: Stage, dead: number, expected: number): string[] {
  const { missed, missedOutputs, miscounted, rejected } = ledger;
  const missing = ledger.missing(SOME);
  const broken: string[] = [];
  if (missed > 0) broken.push(`not handled: ${some(missing.events, missed)}`);
  if (missedOutputs > 0) broken.push(`outputs lost: ${some(missing.outputs, missedOutputs)}`);
  if (dead !== expected) broken.push(`${dead} dead letters${expected === 0 ? "" : ` and not ${expected}`}`);
  if (miscounted > 0) broken.push(`${miscounted} calls got the wrong attempt`);
  for (const [code, count] of rejected) broken.push(`${count} publishes rejected: ${code}`);
  return broken;
}

async function deadLettersOf(access: Access): Promise<number> {
  const counts = Object.values(USE_CASES).map(async (useCase) =>
    deadLetters(await transportOf(access), useCase).count(),
  );
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

/** A few of them, for those who look for the cause. */
function some(numbers: readonly number[], all: number): string {
  return `${numbers.join(", ")}${all > numbers.length ? `, ... ${all} in all` : ""}`;
}
