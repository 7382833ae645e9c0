import type { Entry } from "../../history/entry.ts";
import type { HandState } from "../hands.ts";
import type { Model } from "../model.ts";
import type { ProcessState } from "../processes.ts";
import { named } from "../queue.ts";
import type { Rule } from "../rule.ts";
import type { Report } from "../violation.ts";

/** An app that does nothing for so long, besides what the way to the broker takes, has nothing to do. */
const QUIET_MS = 1_000;
/** So long a client waits at most before it connects again, or notices that it has to. */
const MAX_RECONNECT_MS = 25_000;
/** So long after a suspect it may still be busy with it: with the record of its trial, and the turn of the others (T6). */
const SUSPECT_MS = 30_000;

/** H8: an app that has events in hand and room to handle them does. */
export class IdleRules implements Rule {
  #now = 0;
  /** When something last happened in a process, and when it last had a suspect. */
  readonly #active = new Map<string, number>();
  readonly #suspect = new Map<string, number>();

  before(entry: Entry, model: Model, report: Report): void {
    if (entry.at > this.#now + QUIET_MS) this.#check(entry.at, model, report);
    this.#now = entry.at;
  }

  see(entry: Entry, model: Model): void {
    if (!("process" in entry) || entry.kind === "declares") return;
    this.#active.set(entry.process, entry.at);
    if ("delivery" in entry && (model.hands.get(entry.delivery)?.suspect ?? true))
      this.#suspect.set(entry.process, entry.at);
  }

  /** @param until when the next thing happens anywhere */
  #check(until: number, model: Model, report: Report): void {
    const { latency, lease } = model.plan.network;
    // With a lease what was lost on its way is looked for after a reconnect.
    const quiet = QUIET_MS + 4 * latency + (lease === 0 ? 0 : MAX_RECONNECT_MS);
    for (const hand of model.hands.open) {
      const process = model.processes.get(hand.process);
      // What a transport has read beyond what it was asked for waits there for room.
      if (!hand.taken && lease > 0) continue;
      if (process === undefined || !mayHandle(hand, process, model)) continue;
      const since = Math.max(this.#active.get(hand.process) ?? 0, process.wentOn, process.connectedAgain);
      const suspect = this.#suspect.get(hand.process) ?? Number.NEGATIVE_INFINITY;
      if (until - since <= quiet || until - suspect <= SUSPECT_MS) continue;
      const what = `${named(hand.event)} of ${hand.useCase} in hand for ${Math.floor(until - since)} ms`;
      report("H8", `${hand.process} has had ${what}, does nothing, and does not handle it`);
      return;
    }
  }
}

function mayHandle({ call, decided, useCase }: HandState, process: ProcessState, model: Model): boolean {
  const { name, alive, started, stopCalled, paused, cut, useCases } = process;
  if (call !== undefined || decided || !alive || started === undefined || stopCalled !== undefined || paused || cut)
    return false;
  // A suspect keeps the others waiting, and what the broker refuses for now takes their room.
  // What is to be offered again takes the room of others, and a suspect keeps them waiting.
  if (model.hands.offersAgain(name)) return false;
  for (const other of model.hands.open)
    if (other.process === name && other.suspect !== false && !other.decided) return false;
  return model.hands.running(name, useCase).size < (useCases.get(useCase)?.concurrency ?? 0);
}
