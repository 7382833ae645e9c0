import type { Entry, UseCaseNote } from "../history/entry.ts";
import type { SettingsPlan } from "../plan/plan.ts";

/** A process as the model knows it. */
export interface ProcessState {
  readonly name: string;
  readonly useCases: ReadonlyMap<string, UseCaseNote>;
  readonly settings: SettingsPlan;
  alive: boolean;
  /** When `start()` has resolved. */
  started: number | undefined;
  /** When `stop()` was called first. */
  stopCalled: number | undefined;
  stopped: number | undefined;
  /** Whether it is paused, and when it last went on. */
  paused: boolean;
  wentOn: number;
  /** Whether it is cut off, and when it last was connected again. */
  cut: boolean;
  connectedAgain: number;
}

/** The processes of a run. */
export class Processes {
  readonly #all = new Map<string, ProcessState>();

  get all(): Iterable<ProcessState> {
    return this.#all.values();
  }

  get(name: string): ProcessState | undefined {
    return this.#all.get(name);
  }

  see(entry: Entry): void {
    if (entry.kind === "starts") {
      const { process: name, useCases, settings } = entry;
      this.#all.set(name, {
        name,
        useCases: new Map(useCases.map((useCase) => [useCase.name, useCase])),
        settings,
        alive: true,
        started: undefined,
        stopCalled: undefined,
        stopped: undefined,
        paused: false,
        wentOn: -1,
        cut: false,
        connectedAgain: -1,
      });
      return;
    }
    if (!("process" in entry)) return;
    const process = this.#all.get(entry.process);
    if (process === undefined) return;
    switch (entry.kind) {
      case "started":
        if (entry.error === undefined) process.started = entry.at;
        break;
      case "stops":
        process.stopCalled ??= entry.at;
        break;
      case "stopped":
        process.stopped ??= entry.at;
        break;
      case "dies":
        process.alive = false;
        break;
      case "is cut off":
        process.cut = true;
        break;
      case "is connected again":
        process.cut = false;
        process.connectedAgain = entry.at;
        break;
      case "is paused":
        process.paused = true;
        break;
      case "goes on":
        process.paused = false;
        process.wentOn = entry.at;
        break;
    }
  }
}

/** From when on nothing counts any more that a process's handlers do (L2); `undefined` before it stops. */
export function deadlineOf({ started, stopCalled, settings }: ProcessState): number | undefined {
  // A stop during the start waits for that first.
  if (stopCalled === undefined || started === undefined) return undefined;
  return Math.max(stopCalled, started) + settings.drainTimeout;
}
