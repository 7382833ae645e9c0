import type { EventNote } from "../history/entry.ts";

/** An event in the queue of one use case. The same event may be there several times: published twice, redriven. */
export interface Copy {
  readonly event: EventNote;
  attempt: number;
  /** How often it came back unexplained since it was put there (T6). */
  redeliveries: number;
  /** How often it had before it was forwarded: the broker counts anew then. `NaN` where the model cannot tell. */
  redeliveriesBefore: number;
  /** Whether it is the one more time that the broker was to deliver it. */
  readonly duplicate: boolean;
  /** Whether it has been redriven. */
  readonly redriven: boolean;
  state: "ready" | "waiting" | "out";
  /** When it ends waiting. */
  due: number;
  /** The declaration it is for alone. */
  to: string | undefined;
  /** Whether it may be for another declaration: the same event was there for both, and it cannot be told which of them went. */
  vague: boolean;
  /** What is out: the number of its delivery, and to whom. */
  delivery: number;
  process: string;
  /** By the clock of whoever failed on it first; `undefined` before, `NaN` where the model cannot tell. */
  firstFailedAt: number | undefined;
}

/** Makes a copy that is ready. */
export function newCopy(event: EventNote, about: Partial<Copy> = {}): Copy {
  return {
    event,
    attempt: 1,
    redeliveries: 0,
    redeliveriesBefore: 0,
    duplicate: false,
    redriven: false,
    state: "ready",
    due: 0,
    to: undefined,
    vague: false,
    delivery: 0,
    process: "",
    firstFailedAt: undefined,
    ...about,
  };
}

/** A dead letter. */
export interface Letter {
  readonly id: string;
  readonly event: EventNote;
  readonly reason: string;
  readonly attempts: number;
  /** By the clock of whoever failed on it; `undefined` where the model cannot tell. */
  readonly firstFailedAt: number | undefined;
  readonly lastFailedAt: number | undefined;
  readonly error: { readonly name: string; readonly message: string } | undefined;
}
