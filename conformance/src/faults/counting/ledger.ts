import { type Cause, Causes } from "./causes.ts";
import { Pages } from "./pages.ts";
import { RecentlyConfirmed } from "./recently-confirmed.ts";

const CONFIRMED = 1;
const HANDLED = 2;
const COLLECTED = 4;
const EXCUSED = 8;
/** It was handled more than once, so its output comes more than once. */
const REPEATED = 16;

/** How many came again, by cause. */
export type Repeats = Readonly<Record<Cause, number>>;

/** What became of numbered events, by the facts that workers report; a million take some 8 MB. */
export class Ledger {
  /** Grows with every fact. */
  facts = 0;
  /** Confirmed events. */
  confirmed = 0;
  /** Different events whose handler came to its end. */
  handled = 0;
  /** Calls of the handler that got the wrong attempt, such as after a kill that was taken for a failure. */
  miscounted = 0;
  /** Confirmed events that were not handled, and those of them that nothing excuses. */
  unhandled = 0;
  missed = 0;
  /** Confirmed and handled events whose output was not collected, and those of them that nothing excuses. */
  withoutOutput = 0;
  missedOutputs = 0;
  /** Outputs that came again, and those of them that did although their event was handled once. */
  duplicateOutputs = 0;
  outputsAlone = 0;
  /** Why what is repeated is. */
  readonly causes = new Causes();
  readonly #repeats = { kill: 0, lostReply: 0, takeOver: 0 };
  readonly #rejected = new Map<string, number>();
  readonly #logged = new Map<string, number>();
  readonly #pages = new Pages();
  readonly #recent = new RecentlyConfirmed();
  readonly #failing: number;

  /** @param failing every event whose number this divides fails once; none unless set */
  constructor(failing = Number.NaN) {
    this.#failing = failing;
  }

  /**
   * Takes a worker's line.
   *
   * @param process which one said it
   */
  take(line: string, process = 0): void {
    const [fact, value = "", more = ""] = line.split(" ");
    const number = Number(value);
    this.facts += 1;
    switch (fact) {
      case "confirmed":
        if (this.#set(number, CONFIRMED)) this.#recent.add(number);
        break;
      case "rejected":
        increment(this.#rejected, more);
        break;
      case "handled":
        this.#handle(number, process);
        if (more !== (number % this.#failing === 0 ? "2" : "1")) this.miscounted += 1;
        break;
      case "logged":
        // Who only complains gets nothing done.
        this.facts -= 1;
        increment(this.#logged, line.slice("logged ".length));
        break;
      case "collected":
        this.#collect(number);
        break;
      default:
        throw new Error(`A worker said ${JSON.stringify(line)}.`);
    }
  }

  /** How often apps logged each error. */
  get logged(): ReadonlyMap<string, number> {
    return this.#logged;
  }

  /** How many publishes were rejected, by code. */
  get rejected(): ReadonlyMap<string, number> {
    return this.#rejected;
  }

  /** Calls of the handler for events that had been handled, by cause. */
  get repeats(): Repeats {
    return this.#repeats;
  }

  get duplicates(): number {
    return this.#repeats.kill + this.#repeats.lostReply + this.#repeats.takeOver;
  }

  /** Whether all that is confirmed, and that nothing excuses, is handled, and its outputs are collected. */
  get complete(): boolean {
    return this.missed === 0 && this.missedOutputs === 0;
  }

  /** A few of the events that nothing excuses: those that were not handled, and those whose output was not collected. */
  missing(limit: number): { readonly events: number[]; readonly outputs: number[] } {
    const events: number[] = [];
    const outputs: number[] = [];
    for (const [number, flags] of this.#pages.all()) {
      if (isMissed(flags) && events.length < limit) events.push(number);
      if (isMissedOutput(flags) && outputs.length < limit) outputs.push(number);
    }
    return { events, outputs };
  }

  /** From now on it is not a fault if what was confirmed in the last so many milliseconds is lost. */
  excuse(milliseconds: number): void {
    for (const number of this.#recent.since(performance.now() - milliseconds)) this.#set(number, EXCUSED);
  }

  /** From now on it is not a fault if what is on its way is lost. */
  excuseOpen(): void {
    for (const [number, flags] of this.#pages.all())
      if (isMissed(flags) || isMissedOutput(flags)) this.#set(number, EXCUSED);
  }

  /** It is not a fault if this one is never handled. */
  excuseOne(number: number): void {
    this.#set(number, EXCUSED);
  }

  #handle(number: number, process: number): void {
    const [page, place] = this.#pages.at(number);
    if (this.#set(number, HANDLED)) {
      page.handledBy[place] = process;
      page.handledAt[place] = performance.now();
      return;
    }
    this.#repeats[this.causes.of(page.handledBy[place] ?? 0, page.handledAt[place] ?? 0)] += 1;
    this.#set(number, REPEATED);
  }

  #collect(number: number): void {
    if (this.#set(number, COLLECTED)) return;
    this.duplicateOutputs += 1;
    const [{ flags }, place] = this.#pages.at(number);
    if (((flags[place] ?? 0) & REPEATED) === 0) this.outputsAlone += 1;
  }

  /** Whether it is news. */
  #set(number: number, flag: number): boolean {
    const [{ flags }, place] = this.#pages.at(number);
    const before = flags[place] ?? 0;
    const after = before | flag;
    if (after === before) return false;
    flags[place] = after;
    const change = (is: (flags: number) => boolean) => Number(is(after)) - Number(is(before));
    this.confirmed += change(isConfirmed);
    this.handled += change(isHandled);
    this.unhandled += change(isUnhandled);
    this.missed += change(isMissed);
    this.withoutOutput += change(isWithoutOutput);
    this.missedOutputs += change(isMissedOutput);
    return true;
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function isConfirmed(flags: number): boolean {
  return (flags & CONFIRMED) !== 0;
}

function isHandled(flags: number): boolean {
  return (flags & HANDLED) !== 0;
}

function isUnhandled(flags: number): boolean {
  return (flags & (CONFIRMED | HANDLED)) === CONFIRMED;
}

function isMissed(flags: number): boolean {
  return isUnhandled(flags) && (flags & EXCUSED) === 0;
}

function isWithoutOutput(flags: number): boolean {
  return (flags & (CONFIRMED | HANDLED | COLLECTED)) === (CONFIRMED | HANDLED);
}

function isMissedOutput(flags: number): boolean {
  return isWithoutOutput(flags) && (flags & EXCUSED) === 0;
}
