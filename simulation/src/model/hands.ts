import type { Entry, EntryOf, EventNote } from "../history/entry.ts";

/** A call of a handler. */
export interface CallState {
  readonly number: number;
  readonly at: number;
  /** How and when it ended, once it has. */
  ended: EntryOf<"ends"> | undefined;
}

/** A delivery in the hands of a process, from its being handed out on. */
export interface HandState {
  readonly delivery: number;
  readonly process: string;
  readonly useCase: string;
  readonly event: EventNote;
  readonly attempt: number;
  readonly at: number;
  readonly bytes: number;
  /** Whether the use case has wanted it all the time since it was handed out. */
  wanted: boolean;
  /** Whether it came back unexplained so often that it is handled alone (T6); `undefined` where the model cannot tell. */
  readonly suspect: boolean | undefined;
  call: CallState | undefined;
  /** What the broker has refused of it, by the kind of settlement. */
  readonly refused: Set<string>;
  /** Whether one of them was refused for good. */
  refusedForGood: boolean;
  /** Whether its app has said what becomes of it. */
  decided: boolean;
  /** The bytes of it and its outputs, while what becomes of it is not stored. */
  settlingBytes: number;
  /** Whether the broker has dealt with it, or has taken it back. */
  over: boolean;
  /** Whether it has reached the core, where that is known. */
  taken: boolean;
  /** How many connections its process had lost before. */
  readonly losses: number;
  /** Whether its process knows that it is lost. */
  knownLost: boolean;
}

/**
 * What the apps have in hand. A handler does not know which of several deliveries of one event and attempt it is called
 * for; they are told apart here by what becomes of them.
 */
export class Hands {
  readonly #all = new Map<number, HandState>();
  readonly #open = new Set<HandState>();
  readonly #refused = new Set<HandState>();
  readonly #byKey = new Map<string, HandState[]>();
  readonly #calls = new Map<number, HandState>();
  /** Handlers that run, by process and use case. */
  readonly #running = new Map<string, Set<HandState>>();
  /** How many connections each process has lost. */
  readonly #losses = new Map<string, number>();

  get(delivery: number): HandState | undefined {
    return this.#all.get(delivery);
  }

  /** How many bytes a process has handled, outputs included, that are not stored yet (H9). */
  settlingBytes(process: string): number {
    let sum = 0;
    for (const hand of this.#open) if (hand.process === process) sum += hand.settlingBytes;
    return sum;
  }

  /** Whether a process waits to offer something again that the broker has refused. What it has lost meanwhile is no reason to. */
  offersAgain(process: string): boolean {
    for (const hand of this.#refused) if (hand.process === process && !hand.over) return true;
    return false;
  }

  /** The broker has refused what was to become of it, or has not. */
  refuse(hand: HandState, refused: boolean): void {
    if (refused) this.#refused.add(hand);
    else this.#refused.delete(hand);
  }

  /** Those that the broker has not dealt with yet. */
  get open(): Iterable<HandState> {
    return this.#open;
  }

  /** The broker has dealt with it. */
  close(hand: HandState): void {
    hand.over = true;
    this.#open.delete(hand);
  }

  of(call: number): HandState | undefined {
    return this.#calls.get(call);
  }

  running(process: string, useCase: string): ReadonlySet<HandState> {
    return this.#running.get(`${process} ${useCase}`) ?? new Set();
  }

  deliver(entry: EntryOf<"delivers">, wanted: boolean, suspect: boolean | undefined): void {
    const { delivery, process, useCase, event, attempt, at, bytes } = entry;
    const hand: HandState = {
      delivery,
      process,
      useCase,
      event,
      attempt,
      at,
      bytes,
      wanted,
      suspect,
      call: undefined,
      refused: new Set(),
      refusedForGood: false,
      decided: false,
      settlingBytes: 0,
      over: false,
      taken: false,
      losses: this.#lossesOf(process),
      knownLost: false,
    };
    this.#all.set(delivery, hand);
    this.#open.add(hand);
    const key = keyOf(entry);
    const alike = this.#byKey.get(key);
    if (alike === undefined) this.#byKey.set(key, [hand]);
    else alike.push(hand);
  }

  /** The delivery that a handler is called for; `undefined` where there is none. */
  call(entry: EntryOf<"calls">): HandState | undefined {
    const uncalled = this.#byKey.get(keyOf(entry))?.filter(({ call }) => call === undefined) ?? [];
    const hand =
      uncalled.find(({ over, knownLost }) => !over && !knownLost) ??
      uncalled.find(({ knownLost }) => !knownLost) ??
      uncalled[0];
    if (hand === undefined) return undefined;
    hand.call = { number: entry.call, at: entry.at, ended: undefined };
    this.#calls.set(entry.call, hand);
    const key = `${entry.process} ${entry.useCase}`;
    const running = this.#running.get(key);
    if (running === undefined) this.#running.set(key, new Set([hand]));
    else running.add(hand);
    return hand;
  }

  end(entry: EntryOf<"ends">): HandState | undefined {
    const hand = this.#calls.get(entry.call);
    if (hand?.call === undefined) return undefined;
    hand.call.ended = entry;
    this.#running.get(`${entry.process} ${entry.useCase}`)?.delete(hand);
    return hand;
  }

  /** Whether no other delivery looks like it, so that there is no doubt about what it was called for. */
  isUnique(hand: HandState): boolean {
    return this.#byKey.get(keyOf(hand))?.length === 1;
  }

  /** The broker takes back what a process has. */
  takeBack({ process, because }: EntryOf<"takes back">): void {
    for (const hand of this.#open) if (hand.process === process) this.close(hand);
    if (because === "cut") this.#losses.set(process, this.#lossesOf(process) + 1);
  }

  /** A process learns that what it had before is lost. */
  learnOfLoss({ process, losses }: EntryOf<"learns that it is">): void {
    for (const hand of this.#all.values()) if (hand.process === process && hand.losses < losses) hand.knownLost = true;
  }

  /** The broker takes one delivery back. */
  lose({ delivery }: EntryOf<"loses">): void {
    const hand = this.#all.get(delivery);
    if (hand !== undefined) this.close(hand);
  }

  /** It has reached the core. */
  take({ delivery }: EntryOf<"takes">): void {
    const hand = this.#all.get(delivery);
    if (hand !== undefined) hand.taken = true;
  }

  /** Its app knows what has become of it. */
  isTold({ delivery }: EntryOf<"is told">): void {
    const hand = this.#all.get(delivery);
    if (hand === undefined) return;
    hand.settlingBytes = 0;
    this.refuse(hand, false);
  }

  #lossesOf(process: string): number {
    return this.#losses.get(process) ?? 0;
  }

  /** Other deliveries of the same event and attempt in the same hands, of which nothing has been said yet. */
  alike(hand: HandState): HandState[] {
    if (hand.decided) return [];
    return this.#byKey.get(keyOf(hand))?.filter((each) => each !== hand && !each.decided) ?? [];
  }

  /** What handlers of a process run for. */
  runningIn(process: string): HandState[] {
    const prefix = `${process} `;
    return [...this.#running].flatMap(([key, running]) => (key.startsWith(prefix) ? [...running] : []));
  }

  /** Ends what a process had running, and gives it. */
  die({ process }: EntryOf<"dies">): HandState[] {
    const died = this.runningIn(process);
    for (const { useCase } of died) this.#running.delete(`${process} ${useCase}`);
    return died;
  }

  /** It was the other that the handler was called for. */
  swapCalls(one: HandState, other: HandState): void {
    const { call } = one;
    one.call = other.call;
    other.call = call;
    for (const hand of [one, other]) {
      if (hand.call === undefined) continue;
      this.#calls.set(hand.call.number, hand);
    }
    const running = this.#running.get(`${one.process} ${one.useCase}`);
    for (const hand of [one, other]) {
      if (hand.call !== undefined && hand.call.ended === undefined) running?.add(hand);
      else running?.delete(hand);
    }
  }
}

function keyOf({
  process,
  useCase,
  event,
  attempt,
}: Pick<Entry & HandState, "process" | "useCase" | "event" | "attempt">): string {
  return `${process} ${useCase} ${event.id} ${attempt}`;
}
