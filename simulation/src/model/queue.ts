import type { EntryOf, EventNote } from "../history/entry.ts";
import { type Copy, type Letter, newCopy } from "./copy.ts";
import type { Subscribers } from "./subscribers.ts";
import type { Report } from "./violation.ts";

/** What adding up fractions of milliseconds may be wrong by. */
export const EPSILON_MS = 0.01;

/** What the model knows about the failure of an event. */
export interface Failure {
  /** By the clock of the process. */
  readonly clock: number;
  readonly error: { readonly name: string; readonly message: string } | undefined;
}

/** What else decides what a settlement changes. */
export interface Circumstances {
  /** Whether the broker delivers the event once more when it is handled. */
  readonly duplicated: boolean;
  /** Whether a subscriber of the declaration is there that it is forwarded to. */
  readonly toIsThere: boolean;
  /** Whether what is forwarded to a declaration stays the entry it was: it may go to others, and counts on. */
  readonly staysItself: boolean;
  readonly failure: Failure | undefined;
}

/** The queue of one use case as it has to be: what is in it, who has it, what waits, what is dead. */
export class QueueModel {
  readonly useCase: string;
  readonly copies = new Set<Copy>();
  readonly letters = new Map<string, Letter>();
  readonly #out = new Map<number, Copy>();
  readonly #stored = new Map<string, number>();

  constructor(useCase: string) {
    this.useCase = useCase;
  }

  /** The event is stored for it. */
  add(event: EventNote): void {
    this.copies.add(newCopy(event));
    this.#stored.set(event.id, this.timesStored(event.id) + 1);
  }

  /** How often an event has been stored for it. */
  timesStored(id: string): number {
    return this.#stored.get(id) ?? 0;
  }

  out(delivery: number): Copy | undefined {
    return this.#out.get(delivery);
  }

  /** What a process has in hand, as the broker sees it. */
  *outWith(process: string): Iterable<Copy> {
    for (const copy of this.#out.values()) if (copy.process === process) yield copy;
  }

  /** Takes note of a delivery; of one that should not have been it says what is wrong. */
  deliver(entry: EntryOf<"delivers">, subscribers: Subscribers, report: Report): void {
    const { at, event, attempt, redeliveries, delivery, process } = entry;
    const same = [...this.copies].filter((copy) => copy.event.id === event.id);
    const ready = same.filter(
      (copy) => copy.state === "ready" || (copy.state === "waiting" && copy.due <= at + EPSILON_MS),
    );
    const alike = ready.filter((copy) => copy.attempt === attempt && copy.redeliveries === redeliveries);
    const declaration = subscribers.find(process, this.useCase)?.declaration;
    const forIt = alike.find(({ to }) => to === declaration) ?? alike.find(({ to }) => to === undefined);
    const copy = forIt ?? alike[0] ?? ready[0];
    const where = `${named(event)} to ${this.useCase}`;
    if (copy === undefined) {
      const [other] = same;
      if (other === undefined) report("R2", `${where} is delivered although the queue has it no more`);
      else if (other.state === "waiting")
        report("T2", `${where} is delivered ${Math.ceil(other.due - at)} ms before its delay is over`);
      else report("H3", `${where} is delivered while ${other.process} has it`);
      return;
    }
    if (copy.attempt !== attempt) report("T4", `${where} comes as attempt ${attempt} and is attempt ${copy.attempt}`);
    else if (copy.redeliveries !== redeliveries)
      report("T6", `${where} is said to have come back ${redeliveries} times, and did ${copy.redeliveries} times`);
    if (forIt === undefined && copy === alike[0] && !copy.vague)
      report("R6", `${where} is forwarded to one declaration and handed to an instance of another`);
    if (copy.event.name !== event.name)
      report("H6", `${where} comes under the name ${event.name}, not ${copy.event.name}`);
    if (alike.some(({ to, state, vague }) => vague || to !== copy.to || state !== copy.state))
      for (const other of alike) other.vague = true;
    if (alike.some(({ redeliveriesBefore }) => redeliveriesBefore !== copy.redeliveriesBefore))
      for (const other of alike) other.redeliveriesBefore = Number.NaN;
    Object.assign(copy, { state: "out", to: undefined, vague: false, delivery, process });
    this.#out.set(delivery, copy);
  }

  /** What a settlement has changed in the broker. @param failure why, where the model can tell */
  settle(entry: EntryOf<"settled">, circumstances: Circumstances, report: Report): void {
    const { duplicated, toIsThere, staysItself, failure } = circumstances;
    const { at, delivery, settlement, result, event } = entry;
    if (result === "refused" || result === "refused for good") return;
    const copy = this.#out.get(delivery);
    if (result === "lost" && copy === undefined) return;
    if (result === "lost" || copy === undefined) {
      const problem =
        result === "lost" ? "is dropped although it is still its own" : "counts although it is no longer its own";
      report("L3", `the settlement of ${named(event)} (${settlement.kind}) by ${entry.process} ${problem}`);
      return;
    }
    this.#out.delete(delivery);
    switch (settlement.kind) {
      case "done":
        this.copies.delete(copy);
        if (duplicated && !copy.duplicate)
          this.copies.add({ ...copy, state: "ready", redeliveries: 0, duplicate: true });
        break;
      case "retry":
        copy.firstFailedAt ??= failure?.clock ?? Number.NaN;
        Object.assign(copy, {
          state: "waiting",
          due: at + settlement.delay,
          attempt: settlement.attempt,
          redeliveries: 0,
          redeliveriesBefore: 0,
        });
        break;
      case "forward":
        if (toIsThere && staysItself) {
          Object.assign(copy, { state: "ready", to: settlement.to, vague: true });
          break;
        }
        copy.redeliveriesBefore += copy.redeliveries;
        Object.assign(copy, { attempt: settlement.attempt, redeliveries: 0 });
        if (toIsThere) Object.assign(copy, { state: "ready", to: settlement.to });
        else Object.assign(copy, { state: "waiting", due: at + settlement.delay });
        break;
      case "dead":
        this.copies.delete(copy);
        this.#bury(copy, settlement.letter, settlement.reason, failure);
        break;
      case "release":
        copy.state = "ready";
    }
  }

  /** A process has lost it, and it is ready again. */
  lose({ delivery, unexplained }: EntryOf<"loses">): void {
    const copy = this.#out.get(delivery);
    this.#out.delete(delivery);
    if (copy === undefined) return;
    copy.state = "ready";
    if (unexplained) copy.redeliveries += 1;
  }

  /** That another had it before does not count. */
  forgive({ delivery, event: { id } }: EntryOf<"forgives">): void {
    // It may have been given back meanwhile.
    const copy =
      this.#out.get(delivery) ??
      [...this.copies].find((each) => each.event.id === id && each.state === "ready" && each.redeliveries > 0);
    if (copy !== undefined) copy.redeliveries = Math.max(0, copy.redeliveries - 1);
  }

  #bury(copy: Copy, id: string, reason: string, failure: Failure | undefined): void {
    const { event, attempt, firstFailedAt } = copy;
    const lastFailedAt = failure?.clock;
    // Which of several copies of one event came to be this letter cannot be told.
    const first = this.timesStored(event.id) > 1 || copy.duplicate ? undefined : (firstFailedAt ?? lastFailedAt);
    this.letters.set(id, {
      id,
      event,
      reason,
      attempts: attempt,
      error: failure?.error,
      lastFailedAt,
      firstFailedAt: first === undefined || Number.isNaN(first) ? undefined : first,
    });
  }

  /** A process loses its claims. */
  takeBack(process: string, unexplained: boolean): void {
    for (const [delivery, copy] of this.#out) {
      if (copy.process !== process) continue;
      this.#out.delete(delivery);
      copy.state = "ready";
      if (unexplained) copy.redeliveries += 1;
    }
  }

  /** A dead letter goes back. */
  redrive({ letter, event }: EntryOf<"redrives">, report: Report): void {
    if (!this.letters.delete(letter))
      report("D4", `${named(event)} is redriven and was no dead letter of ${this.useCase}`);
    this.copies.add(newCopy(event, { redriven: true }));
  }

  purge({ letters }: EntryOf<"purges">, report: Report): void {
    for (const letter of letters)
      if (!this.letters.delete(letter)) report("D2", `a letter of ${this.useCase} is purged that was none`);
  }
}

/** How an event is called in what is reported. */
export function named({ label, id }: EventNote): string {
  return label === "" ? id : label;
}
