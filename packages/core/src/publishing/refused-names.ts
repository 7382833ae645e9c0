import type { CancelTimer, Clock } from "../transport/clock.ts";
import type { Outstanding } from "./outstanding.ts";
import { WaitingEvents } from "./waiting-events.ts";

/** The pause before events of a name are sent again that the broker has refused for now; doubled up to the longest. */
const INITIAL_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 2_000;
/** Beyond so many names it is the broker that refuses, and all other names wait together. */
const MAX_NAMES = 100;
/** What those are kept under; no event has an empty name. */
const OTHERS = "";
/** If the broker takes one in so many, it is not hammered but used. */
const FEWEST_TAKEN = 4;

/** The events of one name, or of all others, that wait because the broker has refused some of them. */
interface Refused {
  readonly waiting: WaitingEvents;
  error: Error | undefined;
  pause: number;
  /** When some are sent again, by the monotonic clock. */
  due: number;
  /** How many are sent at once. */
  quota: number;
  /** Those that the broker is being asked about. */
  asked: readonly Outstanding[];
}

/** Whether the broker is being asked. An answer that does not come in time is not waited for. */
function isAsked({ asked }: Refused): boolean {
  return asked.some(({ settled }) => !settled);
}

/** What came of the events of one name in one call. */
interface Answer {
  taken: number;
  readonly refused: Outstanding[];
}

export interface RefusedNamesOptions {
  readonly clock: Clock;
  /** Called when some are to be sent again. */
  readonly onDue: () => void;
}

/**
 * Events that the broker does not take for now, by their names: a queue is full, a partition has no leader. Where events of
 * one name go says nothing about the others. So those of the name wait, and are sent again a few at a time, more of
 * them the more the broker takes, while all other names go on at full speed (H8).
 */
export class RefusedNames {
  readonly #options: RefusedNamesOptions;
  readonly #byName = new Map<string, Refused>();
  #endWait: CancelTimer | undefined;

  constructor(options: RefusedNamesOptions) {
    this.#options = options;
  }

  /** Whether any events wait, or the broker is asked about some. */
  get any(): boolean {
    return this.#byName.size > 0;
  }

  /** What is refused and why, in words; `undefined` where nothing is. */
  get problem(): string | undefined {
    const [first] = this.#byName;
    if (first === undefined) return undefined;
    const [name, { error }] = first;
    const more = this.#byName.size === 1 ? "" : ` and ${this.#byName.size - 1} more`;
    return `the broker does not take ${name === OTHERS ? "events" : `"${name}"${more}`}: ${error?.message ?? "for no stated reason"}`;
  }

  /** Has an event wait if others of its name do. */
  holds(outstanding: Outstanding): boolean {
    const refused = this.#byName.get(this.#keyOf(outstanding.event.name));
    if (refused === undefined) return false;
    outstanding.refusal ??= refused.error;
    refused.waiting.addLater(outstanding);
    return true;
  }

  /** Takes events of one name that are to be sent again. */
  take(maxEvents: number, maxBytes: number): readonly Outstanding[] {
    const now = this.#options.clock.elapsed();
    for (const [key, refused] of this.#byName) {
      if (isAsked(refused) || refused.due > now) continue;
      refused.asked = refused.waiting.take(Math.min(refused.quota, maxEvents), maxBytes);
      if (refused.asked.length > 0) return refused.asked;
      this.#byName.delete(key);
    }
    this.#plan();
    return [];
  }

  /**
   * Notes what came of a call, and gives the events that need not wait any more.
   *
   * @param refused each with its `refusal`
   * @param asked whether the call was of what {@link take} gave
   */
  answered(taken: readonly Outstanding[], refused: readonly Outstanding[], asked: boolean): readonly Outstanding[] {
    const answers = new Map<string, Answer>();
    const answerOf = ({ event }: Outstanding) => {
      const key = this.#keyOf(event.name);
      const answer = answers.get(key) ?? { taken: 0, refused: [] };
      answers.set(key, answer);
      return answer;
    };
    for (const each of taken) answerOf(each).taken += 1;
    for (const each of refused) answerOf(each).refused.push(each);
    let freed: readonly Outstanding[] = [];
    for (const [key, answer] of answers) {
      const known = this.#byName.get(key);
      if (known !== undefined && asked) known.asked = [];
      if (answer.refused.length > 0) this.#refuse(key, answer);
      else if (known !== undefined) freed = freed.concat(this.#accept(key, known));
    }
    this.#plan();
    return freed;
  }

  /** Gives all events, for another try: the connection that they were refused on is gone. */
  release(): readonly Outstanding[] {
    const all = this.outstanding();
    this.#byName.clear();
    this.#plan();
    return all;
  }

  /** All events that wait. */
  outstanding(): readonly Outstanding[] {
    return [...this.#byName.values()].flatMap(({ waiting }) => waiting.all);
  }

  /** Forgets names of which no event waits any more. */
  forgetSettled(): void {
    for (const [key, refused] of this.#byName) {
      refused.waiting.dropSettled();
      if (refused.waiting.size === 0 && !isAsked(refused)) this.#byName.delete(key);
    }
    this.#plan();
  }

  #refuse(key: string, { taken, refused }: Answer): void {
    const now = this.#options.clock.elapsed();
    let known = this.#byName.get(key);
    if (known === undefined) {
      known = { waiting: new WaitingEvents(), error: undefined, pause: 0, due: now, quota: 1, asked: [] };
      this.#byName.set(key, known);
    }
    for (const each of refused) {
      known.error = each.refusal ?? known.error;
      if (!each.settled) known.waiting.addRefused(each);
    }
    const asked = isAsked(known);
    if (known.waiting.size === 0 && !asked) {
      this.#byName.delete(key);
      return;
    }
    // Under way since before: that is answered for already, or will be.
    if (asked || known.due > now) return;
    const used = taken * FEWEST_TAKEN >= refused.length;
    known.pause = used ? INITIAL_BACKOFF_MS : Math.min(Math.max(known.pause * 2, INITIAL_BACKOFF_MS), MAX_BACKOFF_MS);
    known.quota = Math.max(1, used ? known.quota * 2 : known.quota / 2);
    known.due = now + known.pause * (0.5 + Math.random() / 2);
  }

  /** The broker has taken all of a call: more follow at once, or all that are left. */
  #accept(key: string, known: Refused): readonly Outstanding[] {
    known.quota *= 2;
    known.due = this.#options.clock.elapsed();
    if (isAsked(known) || known.waiting.size > known.quota) return [];
    this.#byName.delete(key);
    return known.waiting.all;
  }

  #keyOf(name: string): string {
    if (this.#byName.has(name)) return name;
    return this.#byName.size >= MAX_NAMES || this.#byName.has(OTHERS) ? OTHERS : name;
  }

  #plan(): void {
    this.#endWait?.();
    this.#endWait = undefined;
    const now = this.#options.clock.elapsed();
    let next = Number.POSITIVE_INFINITY;
    for (const refused of this.#byName.values())
      if (!isAsked(refused) && refused.due > now) next = Math.min(next, refused.due);
    if (next === Number.POSITIVE_INFINITY) return;
    this.#endWait = this.#options.clock.after(next - now, this.#options.onDue);
  }
}
