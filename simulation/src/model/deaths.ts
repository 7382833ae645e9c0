import type { Entry, EntryOf } from "../history/entry.ts";
import { KILLED } from "../history/killed.ts";
import type { HandState } from "./hands.ts";

/** How long the others wait for a trial. */
const LONG_TRIAL_MS = 10_000;

/** For which events' handlers processes have died (T6). */
export class Deaths {
  readonly #deaths = new Map<string, number>();
  /** Trials that are recorded and not taken back: process, use case and event. */
  readonly #trials = new Map<string, EntryOf<"begins a trial">>();
  /** Those whose processes have lost their connection since. */
  readonly #lost = new Set<string>();

  /** In how many deaths of processes an event's handler ran. */
  of(useCase: string, id: string): number {
    return this.#deaths.get(`${useCase} ${id}`) ?? 0;
  }

  /**
   * Trials of an event that nobody can tell from deaths: their process lives and has lost its connection, and with it the
   * event. Where the event was stored more than once, also those of its other copies.
   */
  unclear(useCase: string, id: string, copies: number): number {
    let count = 0;
    for (const [trial, about] of this.#trials)
      if (about.useCase === useCase && about.id === id && (copies > 1 || this.#lost.has(trial))) count += 1;
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
      case "takes back":
        if (entry.because === "cut")
          for (const [trial, { process }] of this.#trials) if (process === entry.process) this.#lost.add(trial);
        // An app that stops while it cannot reach the broker leaves its record there for good.
        if (entry.because === "closed") this.#blameTrialsOf(entry.process);
    }
  }

  /** @param running whose handlers ran in the process that dies */
  die({ at, process, of }: EntryOf<"dies">, running: readonly HandState[]): void {
    const blamed = new Set(running.map(({ useCase, event }) => `${useCase} ${event.id}`));
    for (const [trial, { at: begun, process: name, useCase, id }] of this.#trials) {
      if (name !== process) continue;
      this.#trials.delete(trial);
      // Whoever is killed from outside just before or after a trial's handler is beyond telling apart, and beside a trial that
      // takes long the others go on.
      if (of === KILLED || at - begun > LONG_TRIAL_MS) blamed.add(`${useCase} ${id}`);
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
