import type { Entry, EntryOf } from "../../history/entry.ts";
import type { Model } from "../model.ts";
import { deadlineOf, type ProcessState } from "../processes.ts";
import { named } from "../queue.ts";
import type { Rule } from "../rule.ts";
import type { Report } from "../violation.ts";

/** After an outage, or whatever else has disturbed a process, it has so many leases to be back. */
const LEASES_TO_RECOVER = 3;

/** So much later than its delay an event may come. */
const MAX_LATE_MS = 1_000;

/**
 * Of a broker on which deliveries belong to whoever has a lease: what is published is stored for all who want it in one step
 * (R1 to R3) and not again when it is sent again (P6); what an app is told of a settlement is so (H1, L6); who lives loses nothing (H3), and leaves nothing that it has
 * handled (L2).
 */
export class LeaseRules implements Rule {
  /** How often each event was stored, and how often somebody has published it, by id. */
  readonly #stored = new Map<string, number>();
  readonly #published = new Map<string, number>();
  /** What was stored of each delivery. */
  readonly #settled = new Map<number, string>();
  /** When replies were last lost for no reason of the process's own. */
  #disturbed = Number.NEGATIVE_INFINITY;
  #disturbances = 0;

  see(entry: Entry, model: Model, report: Report): void {
    switch (entry.kind) {
      case "stores":
        this.#isForAll(entry, model, report);
        this.#isNotRepeated(entry, model, report);
        return;
      case "publishes":
        for (const { id } of entry.events) this.#published.set(id, (this.#published.get(id) ?? 0) + 1);
        return;
      case "settled":
        if (entry.result !== "stored") return;
        this.#settled.set(entry.delivery, entry.settlement.kind);
        this.#storesOutputs(entry, model, report);
        return;
      case "is told":
        this.#isTold(entry, model, report);
        return;
      case "puts back":
        this.#isInTime(entry, model, report);
        return;
      case "loses":
        this.#loses(entry, model, report);
        return;
      case "refuses":
        this.#disturbances += 1;
        return;
      case "refuses no longer":
        this.#disturbances -= 1;
        this.#disturbed = entry.at;
        return;
      case "finish":
        this.#disturbances = 0;
        this.#disturbed = entry.at;
    }
  }

  #isForAll({ events, queues = [] }: EntryOf<"stores">, { bindings }: Model, report: Report): void {
    for (const event of events) {
      const wanted = bindings.thatWant(event.name).sort();
      const missing = wanted.filter((useCase) => !queues.includes(useCase));
      const others = queues.filter((useCase) => !wanted.includes(useCase));
      if (missing.length > 0) report("R1", `${named(event)} is not stored for ${missing.join(", ")}, which want it`);
      if (others.length > 0) report("R3", `${named(event)} is stored for ${others.join(", ")}, which do not want it`);
    }
  }

  /** P6: what is sent again was not stored. Whoever makes an event's id may publish it several times. */
  #isNotRepeated({ events, process }: EntryOf<"stores">, { processes }: Model, report: Report): void {
    for (const event of events) {
      const times = (this.#stored.get(event.id) ?? 0) + 1;
      this.#stored.set(event.id, times);
      if (times > Math.max(1, this.#published.get(event.id) ?? 0))
        report(
          "P6",
          `${named(event)} is stored for the ${times}th time, by ${processes.get(process)?.name ?? process}`,
        );
    }
  }

  #storesOutputs({ settlement, event }: EntryOf<"settled">, { bindings }: Model, report: Report): void {
    if (settlement.kind !== "done") return;
    for (const output of settlement.outputs)
      if (!this.#stored.has(output.id) && bindings.thatWant(output.name).length > 0)
        report("H1", `${named(event)} is done, and ${named(output)} that its handler returned is not stored`);
  }

  #isTold({ delivery, process, event, settlement, result }: EntryOf<"is told">, model: Model, report: Report): void {
    // One that stops without a connection cannot know.
    if (result === "lost" && model.processes.get(process)?.stopCalled !== undefined) return;
    const stored = this.#settled.get(delivery);
    if (result === "stored" && stored !== settlement)
      report("L6", `${process} is told that ${named(event)} is stored as ${settlement}, and it is ${stored ?? "not"}`);
    if (result === "lost" && stored === settlement && settlement !== "done")
      report("L6", `${process} is told that ${named(event)} is lost, and it is stored as ${settlement}`);
  }

  /** T2: what is due is back in its queue soon, where somebody could see to it all the time. */
  #isInTime({ at, useCase, event, late }: EntryOf<"puts back">, model: Model, report: Report): void {
    const { latency } = model.plan.network;
    if (late <= MAX_LATE_MS + 4 * latency) return;
    for (const process of model.processes.all) {
      const { name, started = at, stopCalled, useCases } = process;
      const isThere = useCases.has(useCase) && stopCalled === undefined && started < at - late;
      if (!isThere || this.#isDisturbed(process, at, model)) continue;
      report("T2", `${named(event)} of ${useCase} comes ${Math.floor(late)} ms after its delay, and ${name} is there`);
      return;
    }
  }

  #loses(entry: EntryOf<"loses">, model: Model, report: Report): void {
    const { process: name, useCase, event, delivery, at } = entry;
    const process = model.processes.get(name);
    // One that stops while it is disturbed leaves what it has.
    if (process === undefined || this.#isDisturbed(process, Math.min(at, process.stopCalled ?? at), model)) return;
    if (entry.unexplained) {
      report(
        "H3",
        `${name} loses ${named(event)} of ${useCase} to another, and lives and is connected, or has stopped cleanly`,
      );
      return;
    }
    const ended = model.hands.get(delivery)?.call?.ended;
    const deadline = deadlineOf(process);
    if (ended === undefined || deadline === undefined || model.hands.get(delivery)?.refused.size !== 0) return;
    if (ended.at < Math.min(deadline, at))
      report("L2", `${name} closes and gives back ${named(event)} of ${useCase}, which it had handled`);
  }

  /** Whether it cannot do what it has to, or could not a moment ago. */
  #isDisturbed(process: ProcessState, at: number, { plan }: Model): boolean {
    const { alive, cut, paused, connectedAgain, wentOn } = process;
    if (!alive || cut || paused || this.#disturbances > 0) return true;
    return at - Math.max(connectedAgain, wentOn, this.#disturbed) < LEASES_TO_RECOVER * plan.network.lease + 10_000;
  }
}
