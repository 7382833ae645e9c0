import type { Entry, EntryOf } from "../history/entry.ts";
import { KILLED } from "../history/killed.ts";
import type { HandState } from "./hands.ts";

/** For which events' handlers processes have died (T6). */
export class Deaths {
  readonly #deaths = new Map<string, number>();
  /** Trials that are recorded and not taken back: process, use case and event. */
  readonly #trials = new Map<string, EntryOf<"begins a trial">>();
  /** Processes without a connection. */
  readonly #cut = new Set<string>();

  /** In how many deaths of processes an event's handler ran. */
  of(useCase: string, id: string): number {
    return this.#deaths.get(`${useCase} ${id}`) ?? 0;
  }

  /** Trials of an event whose process lives and cannot be reached, so that nobody can tell it from a dead one. */
  unreachable(useCase: string, id: string): number {
    let count = 0;
    for (const trial of this.#trials.values())
      if (trial.useCase === useCase && trial.id === id && this.#cut.has(trial.process)) count += 1;
    return count;
  }

  see(entry: Entry): void {
    switch (entry.kind) {
      case "begins a trial":
        this.#trials.set(entry.trial, entry);
        return;
      case "takes a trial back":
        for (const [trial, { useCase, id }] of this.#trials)
          if (entry.trial === undefined ? useCase === entry.useCase && id === entry.id : trial === entry.trial)
            this.#trials.delete(trial);
        return;
      case "is connected again":
        this.#cut.delete(entry.process);
        return;
      case "takes back":
        if (entry.because === "cut") this.#cut.add(entry.process);
        // An app that stops while it cannot reach the broker leaves its record there for good.
        if (entry.because === "closed") this.#blameTrialsOf(entry.process);
    }
  }

  /** @param running whose handlers ran in the process that dies */
  die({ process, of }: EntryOf<"dies">, running: readonly HandState[]): void {
    const blamed = new Set(running.map(({ useCase, event }) => `${useCase} ${event.id}`));
    for (const [trial, { process: name, useCase, id }] of this.#trials) {
      if (name !== process) continue;
      this.#trials.delete(trial);
      // Whoever is killed from outside just before or after a trial's handler is beyond telling apart.
      if (of === KILLED) blamed.add(`${useCase} ${id}`);
    }
    for (const key of blamed) this.#deaths.set(key, (this.#deaths.get(key) ?? 0) + 1);
  }

  #blameTrialsOf(process: string): void {
    for (const [trial, { process: name, useCase, id }] of this.#trials) {
      if (name !== process) continue;
      this.#trials.delete(trial);
      this.#deaths.set(`${useCase} ${id}`, this.of(useCase, id) + 1);
    }
  }
}
