import type { Entry } from "../../history/entry.ts";
import type { Model } from "../model.ts";
import { named } from "../queue.ts";
import type { Rule } from "../rule.ts";
import type { Report } from "../violation.ts";

/** So long after an operator was told that a use case is paused no handler of it is called any more. */
const MAX_PAUSE_MS = 5_000;

/** Pauses: all instances pause that can hear of it. */
export class PauseRules implements Rule {
  readonly #paused = new Map<string, number>();

  see(entry: Entry, model: Model, report: Report): void {
    switch (entry.kind) {
      case "pauses":
        this.#paused.set(entry.useCase, entry.at);
        return;
      case "resumes":
        this.#paused.delete(entry.useCase);
        return;
      case "calls": {
        const { process: name, useCase, event, at } = entry;
        const process = model.processes.get(name);
        const since = this.#paused.get(useCase);
        if (process === undefined || since === undefined || process.cut) return;
        const { connectedAgain, wentOn, started = at } = process;
        const { latency, lease } = model.plan.network;
        // One that was away has yet to connect, and to ask.
        const from = Math.max(since, connectedAgain + lease + 10_000, wentOn + lease + 10_000, started);
        if (at - from > MAX_PAUSE_MS + 8 * latency)
          report("pause", `${name} handles ${named(event)} of ${useCase}, which has been paused for ${at - since} ms`);
      }
    }
  }
}
