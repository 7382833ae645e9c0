import type { Entry, EntryOf } from "../../history/entry.ts";
import { anyMatches } from "../matches.ts";
import type { Model } from "../model.ts";
import { named } from "../queue.ts";
import type { Rule } from "../rule.ts";
import type { Report } from "../violation.ts";

/** Handlers are called for what was delivered, once, with what was published, and never too many at once. */
export class HandlingRules implements Rule {
  see(entry: Entry, model: Model, report: Report): void {
    if (entry.kind === "calls") called(entry, model, report);
  }
}

function called(entry: EntryOf<"calls">, model: Model, report: Report): void {
  const { process: name, useCase, call, event, headers } = entry;
  const what = `the handler of ${useCase} in ${name} is called for ${named(event)}`;
  const hand = model.hands.of(call);
  if (hand === undefined)
    report("H1", `${what}, attempt ${entry.attempt}, which was not delivered or was handled before`);
  const process = model.processes.get(name);
  const declared = process?.useCases.get(useCase);
  if (process === undefined || declared === undefined) {
    report("R3", `${what} and has no such use case`);
    return;
  }
  if (process.stopped !== undefined) report("L2", `${what} after its app has stopped`);
  if (!anyMatches(declared.patterns, event.name))
    report("R6", `${what} (${event.name}), which its patterns ${declared.patterns.join(", ")} do not match`);
  const running = model.hands.running(name, useCase).size;
  if (running > declared.concurrency)
    report("H2", `${what} beside ${running - 1} others, with a concurrency of ${declared.concurrency}`);
  const settling = model.hands.settlingBytes(name);
  // A suspect does not wait for room.
  if (settling >= process.settings.maxHeldBytes / 2 && hand?.suspect === false)
    report(
      "H9",
      `${what} while ${settling} bytes wait to be stored, of ${process.settings.maxHeldBytes} that it may hold`,
    );
  const planned = model.events.get(event.label);
  if (planned === undefined) {
    report("H6", `${what} with a payload that was not published`);
    return;
  }
  if (planned.foreign === "no json") report("H5", `${what}, which is no JSON`);
  if (planned.name !== event.name) report("H6", `${what} under the name ${event.name}, not ${planned.name}`);
  if (planned.refused === "headers") return;
  if (!sameText(headers, planned.headers))
    report("H6", `${what} with the headers ${JSON.stringify(headers)}, not ${JSON.stringify(planned.headers)}`);
}

function sameText(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
