import type { Duration } from "@papa-events/core";
import {
  assertKnownOptions,
  type CancelTimer,
  type Clock,
  invalidOption,
  toMilliseconds,
} from "@papa-events/core/transport";
import { becomesQuiet, progressOf, type Work, waitUntilQuiet } from "./quiet.ts";

/** How long, in real time, handlers get to end before the clock moves on to something they may be waiting for. */
const BEFORE_A_LIMIT = 250;
/** The same where nothing is known that they could be waiting for. */
const BEFORE_ANYTHING = 1_000;

export interface VirtualClockOptions {
  /** The time it begins at; the machine's unless set. */
  readonly start?: Date | number | undefined;
}

interface Timer {
  readonly at: number;
  readonly fire: () => void;
  readonly limits: boolean;
}

/**
 * A clock that moves only when it is told to, for tests: `memory({ clock: virtualClock() })`. A test of five
 * retries at 10 s takes milliseconds.
 */
export class VirtualClock implements Clock {
  #now: number;
  /** Unsorted: tests have few. */
  readonly #timers = new Set<Timer>();
  readonly #work: Work[] = [];
  #moving: Promise<void> = Promise.resolve();

  /** @internal Made by `virtualClock()`. */
  constructor(start: number) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  elapsed(): number {
    return this.#now;
  }

  after(delay: number, fire: () => void, limits = false): CancelTimer {
    const timer: Timer = { at: this.#now + Math.max(delay, 0), fire, limits };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /**
   * Moves time from one timer that falls due to the next, letting everything that each sets off settle before it
   * goes on. A handler that is still running when nothing else gets done (it waits for the test, or for its timeout) is
   * left running, after 1 s of real time, or after 0.25 s where a timeout would end it.
   *
   * @throws PapaError `invalid-option`
   */
  advance(duration: Duration): Promise<void> {
    const milliseconds = toMilliseconds(duration, "advance");
    this.#moving = this.#moving.then(() => this.#advanceTo(this.#now + milliseconds));
    return this.#moving;
  }

  /**
   * Resolves when nothing is left to do at this time.
   *
   * @throws Error when a handler does not end within 5 s of real time
   */
  settled(): Promise<void> {
    return waitUntilQuiet(this.#work);
  }

  /** @internal Has {@link advance} wait for this work. */
  attach(work: Work): void {
    this.#work.push(work);
  }

  async #advanceTo(target: number): Promise<void> {
    let stuckAt: number | undefined;
    for (;;) {
      const patience = this.#nextTimer(target)?.limits === true ? BEFORE_A_LIMIT : BEFORE_ANYTHING;
      if (!(await becomesQuiet(this.#work, patience, stuckAt))) stuckAt = progressOf(this.#work);
      // Settling may have set or ended timers.
      const due = this.#nextTimer(target);
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = due.at;
      due.fire();
    }
    this.#now = target;
  }

  #nextTimer(until: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= until && (next === undefined || timer.at < next.at)) next = timer;
    }
    return next;
  }
}

/** A clock that moves only when it is told to. @throws PapaError `invalid-option` */
export function virtualClock(options: VirtualClockOptions = {}): VirtualClock {
  assertKnownOptions(options, ["start"], "virtualClock");
  const start = Number(options.start ?? Date.now());
  if (Number.isNaN(start)) throw invalidOption("virtualClock: start", "it is not a valid time");
  return new VirtualClock(start);
}

/** Whether a clock is a virtual one. */
export function isVirtual(clock: Clock): clock is VirtualClock {
  return clock instanceof VirtualClock;
}
