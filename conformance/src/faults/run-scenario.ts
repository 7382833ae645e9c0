import { deadLetters } from "@papa-events/core";
import { transportFromUri } from "@papa-events/core/uri";
import type { Broker } from "../brokers/index.ts";
import { USE_CASES } from "./order.ts";
import type { Scenario } from "./scenarios.ts";
import { Stage } from "./stage.ts";
import type { Target } from "./targets.ts";

/** What a scenario counted. */
export interface Count {
  readonly scenario: string;
  readonly what: string;
  /** How often it went wrong. */
  readonly times: number;
  readonly confirmed: number;
  readonly handled: number;
  /** Confirmed, and neither handled nor a dead letter. */
  readonly lost: number;
  /** Dead letters, though no handler failed more than once. */
  readonly dead: number;
  /** Handled, and the output is lost. */
  readonly lostOutputs: number;
  readonly duplicates: number;
  readonly duplicateOutputs: number;
  readonly seconds: number;
  /** The most memory of a publishing and of a handling process, in bytes. */
  readonly peakMemory: { readonly publish: number; readonly handle: number };
  readonly notes: readonly string[];
  /** What breaks a promise; empty when all are kept. */
  readonly problems: readonly string[];
}

export interface ScenarioRun {
  readonly target: Target;
  readonly broker: Broker;
  /** One that nobody has used. */
  readonly namespace: string;
  readonly events: number;
  /** Fewer faults than the scenario has. */
  readonly times?: number | undefined;
  /** How long nothing at all may happen before the rest counts as lost, in milliseconds; a minute unless set. */
  readonly patience?: number | undefined;
}

/** Plays a scenario and counts. Never rejects for what the transport does. */
export async function runScenario(scenario: Scenario, run: ScenarioRun): Promise<Count> {
  const { target, broker, namespace, events, times = scenario.times, patience } = run;
  const { alert = false, failing } = scenario;
  const proxy = await broker.proxy();
  const stage = new Stage({ target, broker, proxy, namespace, events, alert, failing, patience });
  const { ledger, problems } = stage;
  const begun = performance.now();
  let seconds = 0;
  try {
    await stage.open();
    await scenario.play(stage, times);
    await stage.finish();
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  } finally {
    seconds = (performance.now() - begun) / 1_000;
    await stage.close();
  }
  const { unhandled, withoutOutput } = ledger;
  const dead = await deadLettersOf(target.uri(broker.uri, namespace));
  const lost = Math.max(0, unhandled.length - dead);
  const missed = ledger.unexcused(unhandled);
  const missedOutputs = ledger.unexcused(withoutOutput);
  if (missed.length > 0) problems.push(`not handled: ${numbers(missed)}`);
  if (missedOutputs.length > 0) problems.push(`outputs lost: ${numbers(missedOutputs)}`);
  if (dead > 0) problems.push(`${dead} dead letters`);
  if (ledger.miscounted > 0) problems.push(`${ledger.miscounted} calls got the wrong attempt`);
  if (ledger.rejected.length > 0)
    problems.push(`${ledger.rejected.length} publishes rejected: ${[...new Set(ledger.rejected)].join(", ")}`);
  return {
    scenario: scenario.name,
    what: scenario.what,
    times,
    confirmed: ledger.confirmed,
    handled: ledger.handled,
    lost,
    dead,
    lostOutputs: withoutOutput.length,
    duplicates: ledger.duplicates,
    duplicateOutputs: ledger.duplicateOutputs,
    seconds,
    peakMemory: stage.peakMemory,
    notes: stage.notes,
    problems,
  };
}

async function deadLettersOf(uri: string): Promise<number> {
  const counts = Object.values(USE_CASES).map((useCase) => deadLetters(transportFromUri(uri), useCase).count());
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

/** A few of them, for those who look for the cause. */
function numbers(all: readonly number[]): string {
  const more = all.length > 5 ? `, ... ${all.length} in all` : "";
  return `${all.slice(0, 5).join(", ")}${more}`;
}
