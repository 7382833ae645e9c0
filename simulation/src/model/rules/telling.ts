import type { Entry, EntryOf } from "../../history/entry.ts";
import type { Model } from "../model.ts";
import { named } from "../queue.ts";
import type { Rule } from "../rule.ts";
import type { Report } from "../violation.ts";

/** L6: `onRetry` and `onDeadLetter` are told of what is stored, all of it, once. */
export class TellingRules implements Rule {
  /** Stored retries and letters that nobody has been told of yet. */
  readonly #retries: EntryOf<"settled">[] = [];
  readonly #letters = new Map<string, EntryOf<"settled">>();

  see(entry: Entry, _model: Model, report: Report): void {
    switch (entry.kind) {
      case "settled":
        if (entry.result !== "stored") return;
        if (entry.settlement.kind === "retry") this.#retries.push(entry);
        if (entry.settlement.kind === "dead") this.#letters.set(entry.settlement.letter, entry);
        return;
      case "is told":
        if (entry.result === "lost") this.#isNotTold(entry);
        return;
      case "tells of a retry":
        this.#toldOfRetry(entry, report);
        return;
      case "tells of a dead letter": {
        const { letter, process, useCase, event } = entry;
        const stored = this.#letters.get(letter);
        if (!this.#letters.delete(letter) || stored?.process !== process || stored.useCase !== useCase)
          report(
            "L6",
            `${process} tells of a dead letter of ${named(event)} that is not stored, or for the second time`,
          );
      }
    }
  }

  end(model: Model, report: Report): void {
    for (const { process, useCase, event, settlement } of [...this.#retries, ...this.#letters.values()]) {
      if (model.processes.get(process)?.alive === true)
        report("L6", `${process} does not tell of what it stored: ${named(event)} of ${useCase}, ${settlement.kind}`);
    }
  }

  /** Who does not know that it is stored does not tell of it. */
  #isNotTold({ delivery }: EntryOf<"is told">): void {
    const index = this.#retries.findIndex((stored) => stored.delivery === delivery);
    if (index !== -1) this.#retries.splice(index, 1);
    for (const [letter, stored] of this.#letters) if (stored.delivery === delivery) this.#letters.delete(letter);
  }

  #toldOfRetry({ process, useCase, event, attempt, delay }: EntryOf<"tells of a retry">, report: Report): void {
    const index = this.#retries.findIndex(
      ({ settlement, ...stored }) =>
        stored.process === process &&
        stored.useCase === useCase &&
        stored.event.id === event.id &&
        settlement.kind === "retry" &&
        // The same attempt again, where what a handler returned is refused.
        (settlement.attempt === attempt + 1 || settlement.attempt === attempt) &&
        settlement.delay === delay,
    );
    if (index === -1)
      report("L6", `${process} tells of a retry of ${named(event)} that is not stored, or for the second time`);
    else this.#retries.splice(index, 1);
  }
}
