import type { Entry, EntryOf } from "../../history/entry.ts";
import type { Model } from "../model.ts";
import { deadlineOf } from "../processes.ts";
import { named } from "../queue.ts";
import type { Rule } from "../rule.ts";
import type { Report } from "../violation.ts";

/** A stop ends so long after its drain timeout at the latest (L2), and so much may the way to the broker take. */
const MAX_CLOSE_MS = 2_000;
const SLACK_MS = 1_000;

/** R1: a started app is bound. R6: nothing is withdrawn too early. L2: a clean stop repeats nothing, and ends. */
export class LivingRules implements Rule {
  before(entry: Entry, model: Model, report: Report): void {
    if (entry.kind === "takes back" && entry.because === "closed") closes(entry, model, report);
    if (entry.kind === "withdraws") {
      const grace = model.processes.get(entry.process)?.settings.declarationGrace ?? 0;
      if (model.plan.network.broker === "memory" && entry.idle < grace)
        report("R6", `${entry.process} withdraws what was declared ${entry.idle} ms ago, with a grace of ${grace}`);
    }
  }

  see(entry: Entry, model: Model, report: Report): void {
    if (entry.kind === "started" && entry.error === undefined) {
      for (const { name, patterns } of model.processes.get(entry.process)?.useCases.values() ?? [])
        for (const pattern of patterns)
          if (!model.bindings.has(name, pattern))
            report("R1", `${entry.process} has started, and ${name} is not bound to ${pattern}`);
    }
    if (entry.kind === "withdraws") withdraws(entry, model, report);
    if (entry.kind === "stopped") stopped(entry, model, report);
  }

  end(model: Model, report: Report): void {
    for (const { name, alive, stopCalled, stopped: at } of model.processes.all)
      if (alive && stopCalled !== undefined && at === undefined) report("L2", `stop() of ${name} never ends`);
  }
}

/** What an instance declares that lives and could say so all the time stays bound. */
function withdraws({ at, useCase }: EntryOf<"withdraws">, model: Model, report: Report): void {
  for (const process of model.processes.all) {
    const { name, alive, started, stopCalled, cut, paused, connectedAgain, wentOn, settings } = process;
    const since = Math.max(connectedAgain, wentOn);
    const disturbed = cut || paused || (since >= 0 && at - since < 2 * settings.declarationGrace);
    if (!alive || started === undefined || stopCalled !== undefined || disturbed) continue;
    for (const pattern of process.useCases.get(useCase)?.patterns ?? [])
      if (!model.bindings.has(useCase, pattern))
        report("R6", `${pattern} is withdrawn from ${useCase}, and ${name} lives, which declares it`);
  }
}

/** What a process had handled when it closes is settled. */
function closes({ process: name, at }: EntryOf<"takes back">, model: Model, report: Report): void {
  const process = model.processes.get(name);
  const deadline = process && deadlineOf(process);
  if (process === undefined || deadline === undefined || process.wentOn >= (process.started ?? 0)) return;
  for (const queue of model.queues) {
    for (const copy of queue.outWith(name)) {
      const hand = model.hands.get(copy.delivery);
      const ended = hand?.call?.ended;
      if (hand === undefined || ended === undefined || hand.refused.size > 0) continue;
      if (ended.at < Math.min(deadline, at))
        report("L2", `${name} closes and gives back ${named(copy.event)} of ${queue.useCase}, which it had handled`);
    }
  }
}

function stopped({ process: name, at, error }: EntryOf<"stopped">, model: Model, report: Report): void {
  const process = model.processes.get(name);
  const deadline = process && deadlineOf(process);
  // Stopping again just resolves.
  if (process?.stopped !== at) return;
  if (error !== undefined) report("L2", `stop() of ${name} rejects: ${error}`);
  if (deadline === undefined || process.wentOn > (process.stopCalled ?? 0)) return;
  if (at > deadline + MAX_CLOSE_MS + SLACK_MS)
    report("L2", `stop() of ${name} ends ${Math.ceil(at - deadline)} ms after its drain timeout`);
}
