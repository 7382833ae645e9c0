import { PapaError } from "../errors/papa-error.ts";
import { assertKnownOptions } from "../options/check-options.ts";
import { type Duration, MAX_DURATION, toMilliseconds } from "../options/duration.ts";

/**
 * How long a failed event waits: a duration, {@link exponential}, or a function of the attempt that just
 * failed (1 for the first) and of its error.
 */
export type RetryDelay = Duration | ((attempt: number, error: unknown) => Duration);

/** A retry delay reduced to a function that returns milliseconds. */
export type DelayFunction = (attempt: number, error: unknown) => number;

const DEFAULT_MAX = 3_600_000;

/** The shape of an {@link exponential} delay. */
export interface ExponentialOptions {
  /** The delay after the first failure. */
  readonly first: Duration;
  /** What each further delay is multiplied by; 2 unless set. */
  readonly factor?: number | undefined;
  /** No delay is longer than this, jitter included; 1 h, or `first` if that is longer, unless set. */
  readonly max?: Duration | undefined;
  /**
   * How much of the delay is chance, 0 to 1; 0.2 unless set. With 0.2 a delay of 10 s becomes 8 to 10 s, so
   * that events which failed together do not come back together.
   */
  readonly jitter?: number | undefined;
}

/**
 * A delay that grows with each attempt.
 *
 * @throws PapaError `invalid-option`
 * @example retryDelay: exponential({ first: "1s", factor: 2, max: "5m" })
 */
export function exponential(options: ExponentialOptions): (attempt: number) => number {
  assertKnownOptions(options, ["first", "factor", "max", "jitter"], "exponential");
  const first = toMilliseconds(options.first, "exponential: first");
  const max = toMilliseconds(options.max ?? Math.max(first, DEFAULT_MAX), "exponential: max");
  const factor = options.factor ?? 2;
  const jitter = options.jitter ?? 0.2;
  check(max >= first, "exponential: max", `${options.max} is shorter than first, ${options.first}`);
  check(factor >= 1 && Number.isFinite(factor), "exponential: factor", `${factor} is not a number of at least 1`);
  check(
    jitter >= 0 && jitter <= 1 && Number.isFinite(jitter),
    "exponential: jitter",
    `${jitter} is not a number from 0 to 1`,
  );
  return (attempt) => {
    const delay = Math.min(first * factor ** (attempt - 1), max);
    return delay * (1 - jitter * Math.random());
  };
}

/**
 * Reduces a retry delay to a function. A function of the user's that returns no duration gets the message of
 * `invalid-option` when it is called, since only then it is known.
 *
 * @param option what an error names
 * @throws PapaError `invalid-option`
 */
export function toDelayFunction(delay: RetryDelay, option: string): DelayFunction {
  if (typeof delay === "function") {
    return (attempt, error) => Math.min(Math.ceil(toMilliseconds(delay(attempt, error), option)), MAX_DURATION);
  }
  const fixed = Math.ceil(toMilliseconds(delay, option));
  return () => fixed;
}

function check(condition: boolean, option: string, problem: string): void {
  if (!condition) throw new PapaError("invalid-option", `${option}: ${problem}.`, { option, problem });
}
