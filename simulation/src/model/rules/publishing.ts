import type { Entry, EntryOf, EventNote } from "../../history/entry.ts";
import type { Model } from "../model.ts";
import type { Rule } from "../rule.ts";
import type { Report } from "../violation.ts";

/** How much later than its limit a call may end: the way to the broker and back. */
const SLACK_MS = 1_000;

/** P1: what is confirmed is stored. P2: every publish ends. */
export class PublishingRules implements Rule {
  readonly #stored = new Set<string>();
  readonly #open = new Map<number, EntryOf<"publishes">>();
  /** What nobody wanted when it was published: a broker may forget it without a trace. */
  readonly #unwanted = new Set<string>();

  see(entry: Entry, model: Model, report: Report): void {
    switch (entry.kind) {
      case "stores":
        for (const { id } of entry.events) this.#stored.add(id);
        return;
      case "publishes":
        this.#open.set(entry.call, entry);
        for (const { label, name } of entry.events)
          if (model.bindings.thatWant(name).length === 0) this.#unwanted.add(label);
        return;
      case "published":
        this.#published(entry, model, report);
    }
  }

  end(model: Model, report: Report): void {
    for (const { process, events } of this.#open.values())
      if (model.processes.get(process)?.alive === true)
        report("P2", `newEvent() of ${events.map(({ label }) => label).join()} in ${process} never ends`);
  }

  #mayForget(event: EventNote | undefined, model: Model): boolean {
    if (model.plan.network.broker === "memory" || event === undefined) return false;
    return this.#unwanted.has(event.label) || model.bindings.thatWant(event.name).length === 0;
  }

  #published({ at, call, ids, process, error }: EntryOf<"published">, model: Model, report: Report): void {
    const published = this.#open.get(call);
    this.#open.delete(call);
    if (published === undefined) return;
    const labels = published.events.map(({ label }) => label).join();
    for (const [index, id] of ids.entries())
      if (!this.#stored.has(id) && !this.#mayForget(published.events[index], model))
        report("P1", `${labels} is confirmed to ${process} and not stored`);
    if (error === undefined && ids.length !== published.events.length)
      report("P1", `${labels} is confirmed as ${ids.length} events`);
    const state = model.processes.get(process);
    if (state === undefined || state.wentOn > published.at) return;
    if (at - published.at > state.settings.publishTimeout + SLACK_MS)
      report(
        "P2",
        `newEvent() of ${labels} in ${process} takes ${Math.ceil(at - published.at)} ms, with a limit of ${state.settings.publishTimeout}`,
      );
  }
}
