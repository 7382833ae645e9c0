import type { Entry } from "../../history/entry.ts";
import type { HandState } from "../hands.ts";
import { type Model, UNSUSPECTED } from "../model.ts";
import { deadlineOf } from "../processes.ts";
import { named } from "../queue.ts";
import type { Rule } from "../rule.ts";
import type { Report } from "../violation.ts";

/** T6: an event that kills its processes kills no more of them than the limit says. */
export class CrashLoopRules implements Rule {
  /** Deaths since the event last began anew, by use case and event. */
  readonly #deaths = new Map<string, number>();

  before(entry: Entry, model: Model, report: Report): void {
    switch (entry.kind) {
      case "redrives":
        this.#deaths.delete(`${entry.useCase} ${entry.event.id}`);
        return;
      case "settled":
        // Each attempt begins anew.
        if (entry.settlement.kind === "retry") this.#deaths.delete(`${entry.useCase} ${entry.event.id}`);
        return;
      case "dies":
        // What the broker has taken back before has no part in it.
        for (const hand of model.hands.runningIn(entry.process))
          if (hand.event.label === entry.of && model.copyOf(hand) !== undefined)
            this.#kills(hand, entry.at, model, report);
    }
  }

  #kills({ process: name, useCase, event }: HandState, at: number, model: Model, report: Report): void {
    const process = model.processes.get(name);
    const deadline = process && deadlineOf(process);
    // What it does after the drain timeout counts as little as anything else.
    if (process === undefined || (deadline !== undefined && at >= deadline)) return;
    const limit = process.settings.crashLimit;
    const key = `${useCase} ${event.id}`;
    const deaths = (this.#deaths.get(key) ?? 0) + 1;
    this.#deaths.set(key, deaths);
    // Each of its copies may, where it was stored more than once.
    if (deaths <= (limit + UNSUSPECTED) * model.queue(useCase).timesStored(event.id)) return;
    report("T6", `${named(event)} of ${useCase} kills its process for the ${deaths}th time, with a limit of ${limit}`);
  }
}
