import type { Entry, EntryOf } from "../history/entry.ts";
import { KILLED } from "../history/killed.ts";
import type { HandState } from "./hands.ts";

/** How long the others wait for a trial. */
const LONG_TRIAL_MS = 10_000;

/** An app that stops does not wait for its record for longer than this way there and back takes. */
const MAX_LATENCY_MS = 200;

/** For which events' handlers processes have died (T6). */
export class Deaths {
  readonly #deaths = new Map<string, number>();
  /** Trials that are recorded and not taken back: process, use case and event. */
  readonly #trials = new Map<string, EntryOf<"begins a trial">>();
  /** Those whose processes have lost their connection since. */
  readonly #lost = new Set<string>();
  readonly #unreachable = new Set<string>();
  /** What the broker refuses now. */
  #refused = 0;
  readonly #latency: number;

  /** @param latency the longest that a message takes, in milliseconds */
  constructor(latency: number) {
    this.#latency = latency;
  }

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
        if (entry.because === "closed") this.#closed(entry.process);
        return;
      case "loses":
      case "stopped":
        for (const [trial, about] of this.#trials)
          if (about.process === entry.process && (entry.kind === "stopped" || about.id === entry.event.id))
            this.#lost.add(trial);
        return;
      case "is cut off":
        this.#unreachable.add(entry.process);
        return;
      case "is connected again":
        this.#unreachable.delete(entry.process);
        return;
      case "refuses":
        this.#refused += 1;
        return;
      case "refuses no longer":
        this.#refused -= 1;
        return;
      case "finish":
        this.#refused = 0;
        return;
      case "redrives":
        this.#deaths.delete(`${entry.useCase} ${entry.event.id}`);
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

  /** An app that stops while the broker is away, or refuses everything, or is far, leaves its record there for good. */
  #closed(process: string): void {
    const hopeless = this.#unreachable.has(process) || this.#refused > 0 || this.#latency > MAX_LATENCY_MS;
    for (const [trial, { process: name, useCase, id }] of this.#trials) {
      if (name !== process) continue;
      this.#trials.delete(trial);
      if (hopeless) this.#deaths.set(`${useCase} ${id}`, this.of(useCase, id) + 1);
    }
  }
}
