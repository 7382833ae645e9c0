import type { Entry, EntryOf } from "../../history/entry.ts";
import type { HandState } from "../hands.ts";
import { anyMatches } from "../matches.ts";
import type { Model } from "../model.ts";
import type { ProcessState } from "../processes.ts";
import { named } from "../queue.ts";
import type { Rule } from "../rule.ts";
import type { Report } from "../violation.ts";
import { besideSuspects } from "./alone.ts";

/** Handlers are called for what was delivered, once, with what was published, and never too many at once. */
export class HandlingRules implements Rule {
  see(entry: Entry, model: Model, report: Report): void {
    if (entry.kind !== "calls") return;
    const { process: name, useCase, event } = entry;
    const tell = (rule: string, what: string) =>
      report(rule, `the handler of ${useCase} in ${name} is called for ${named(event)}${what}`);
    const process = model.processes.get(name);
    if (process === undefined) return;
    const hand = model.hands.of(entry.call);
    if (hand === undefined) tell("H1", `, attempt ${entry.attempt}, which was not delivered or was handled before`);
    mayBeCalled(entry, process, model, tell);
    isAsPublished(entry, model, tell);
    // Of several that look alike it cannot be told which it is called for.
    if (hand !== undefined && model.hands.isUnique(hand)) mayBeBegun(hand, entry.at, process, model, tell);
  }
}

function mayBeCalled(
  { at, useCase, event }: EntryOf<"calls">,
  process: ProcessState,
  model: Model,
  tell: Report,
): void {
  const declared = process.useCases.get(useCase);
  if (declared === undefined) {
    tell("R3", ", and it has no such use case");
    return;
  }
  const { patterns, concurrency } = declared;
  if (!anyMatches(patterns, event.name)) tell("R6", ` (${event.name}), which ${patterns.join(", ")} do not match`);
  const running = model.hands.running(process.name, useCase).size;
  if (running > concurrency) tell("H2", ` beside ${running - 1} others, with a concurrency of ${concurrency}`);
  const { started = Number.POSITIVE_INFINITY, stopCalled = Number.POSITIVE_INFINITY } = process;
  if (at >= stopCalled && at > started) tell("L2", " after stop() was called");
}

function isAsPublished({ event, headers }: EntryOf<"calls">, model: Model, tell: Report): void {
  const planned = model.events.get(event.label);
  if (planned === undefined) {
    tell("H6", " with a payload that was not published");
    return;
  }
  if (planned.foreign === "no json") tell("H5", ", which is no JSON");
  if (planned.name !== event.name) tell("H6", ` under the name ${event.name}, not ${planned.name}`);
  if (planned.refused !== "headers" && !sameText(headers, planned.headers))
    tell("H6", ` with the headers ${JSON.stringify(headers)}, not ${JSON.stringify(planned.headers)}`);
}

function mayBeBegun(hand: HandState, at: number, process: ProcessState, model: Model, tell: Report): void {
  if (hand.knownLost) tell("L3", ", which it knows to be lost");
  const settling = model.hands.settlingBytes(process.name);
  const most = process.settings.maxHeldBytes;
  // A suspect does not wait for room.
  if (settling >= most / 2 && hand.suspect === false)
    tell("H9", ` while ${settling} bytes wait to be stored, of ${most} that it may hold`);
  const others = besideSuspects(hand, at, model);
  if (others.length > 0)
    tell("T6", ` beside ${others.map(({ event }) => named(event)).join(", ")}, and one of them is a suspect`);
}

function sameText(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
