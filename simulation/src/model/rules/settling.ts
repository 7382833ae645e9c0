import type { Entry, EntryOf, UseCaseNote } from "../../history/entry.ts";
import type { HandState } from "../hands.ts";
import { anyMatches } from "../matches.ts";
import type { Model } from "../model.ts";
import type { ProcessState } from "../processes.ts";
import { named } from "../queue.ts";
import type { Rule } from "../rule.ts";
import type { Report } from "../violation.ts";
import { problemOfForeign } from "./foreign.ts";
import { problemOfOutcome } from "./outcomes.ts";

/** What an app says became of an event is what its handler did with it (H1, T1, T2, T5, T6, R6, L2, D5). */
export class SettlingRules implements Rule {
  see(entry: Entry, model: Model, report: Report): void {
    if (entry.kind !== "settles") return;
    const problem = problemOf(entry, model);
    if (problem === undefined) return;
    const { process, event, useCase, settlement } = entry;
    const reason = settlement.kind === "dead" ? ` (${settlement.reason})` : "";
    report(
      problem[0],
      `${process} settles ${named(event)} of ${useCase} as ${settlement.kind}${reason}: ${problem[1]}`,
    );
  }
}

/** A rule, and how it is broken. */
export type Problem = readonly [rule: string, what: string];

function problemOf(entry: EntryOf<"settles">, model: Model): Problem | undefined {
  const process = model.processes.get(entry.process);
  const declared = process?.useCases.get(entry.useCase);
  if (process === undefined || declared === undefined) return ["R3", "it has no such use case"];
  const hand = model.hands.get(entry.delivery);
  if (hand === undefined) return undefined;
  const problem = problemOfHand(entry, hand, process, declared, model);
  // Of several that look alike, another may be the one whose handler ended so.
  const mistaken =
    problem &&
    model.hands
      .alike(hand)
      .find((other) => problemOfHand(entry, { ...hand, call: other.call }, process, declared, model) === undefined);
  if (mistaken !== undefined) model.hands.swapCalls(hand, mistaken);
  hand.decided = true;
  return mistaken === undefined ? problem : undefined;
}

function problemOfHand(
  entry: EntryOf<"settles">,
  hand: HandState,
  process: ProcessState,
  declared: UseCaseNote,
  model: Model,
): Problem | undefined {
  const { settlement, useCase, event } = entry;
  if (settlement.kind === "release") return hand.call === undefined ? undefined : ["H1", "its handler was called"];
  if (settlement.kind === "dead" && settlement.reason === "crash-loop") {
    const { crashLimit } = process.settings;
    const copies = model.queue(useCase).timesStored(event.id);
    const deaths = model.deaths.of(useCase, event.id) + model.deaths.unclear(useCase, event.id, copies);
    if (deaths >= crashLimit) return undefined;
    return ["T6", `${deaths} of ${crashLimit} processes have died while its handler ran`];
  }
  const accepted = anyMatches(declared.patterns, event.name);
  if (accepted && model.events.get(event.label)?.foreign === "no json") {
    const isDead = settlement.kind === "dead" && settlement.reason === "invalid-payload";
    return isDead ? undefined : ["H5", "it is no JSON"];
  }
  return accepted ? problemOfOutcome(entry, hand, process, declared) : problemOfForeign(entry, hand, model);
}
