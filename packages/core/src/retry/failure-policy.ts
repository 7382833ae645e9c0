import { isPapaError } from "../errors/papa-error.ts";
import { DeadLetter, RetryAfter } from "../handler/signals.ts";
import type { Logger } from "../logging/logger.ts";
import { toMilliseconds } from "../options/duration.ts";
import { GivenUp } from "../outcome/given-up.ts";
import { dead, Outcome, retry } from "../outcome/outcome.ts";
import type { Clock } from "../transport/clock.ts";
import { type DeadLetterReason, encodeDeadLetter, smallestDeadLetter } from "../wire/dead-letter.ts";
import { errorText } from "../wire/error-text.ts";
import { encodeRetry } from "../wire/retry.ts";
import type { HeaderBudget, StoredAgain } from "../wire/stored-again.ts";
import type { DelayFunction } from "./retry-delay.ts";

/** The wait where the use case's own delay function fails. */
const FALLBACK_DELAY_MS = 10_000;

export interface FailurePolicyOptions {
  readonly useCase: string;
  /** Redeliveries after the first attempt (T1). */
  readonly retries: number;
  readonly retryDelay: DelayFunction;
  /** What the broker takes of headers (D5). */
  readonly headers: HeaderBudget;
  readonly clock: Clock;
}

/** An event that failed. */
export interface FailedEvent extends StoredAgain {
  readonly attempt: number;
  readonly logger: Logger;
}

/** Decides between a retry and a dead letter (T1, T2, T5), and encodes why (D1). */
export class FailurePolicy {
  readonly #options: FailurePolicyOptions;

  constructor(options: FailurePolicyOptions) {
    this.#options = options;
  }

  /** Decides what becomes of an event whose handler, or what is around it, threw `error`. */
  decide(event: FailedEvent, error: unknown): Outcome {
    if (error instanceof GivenUp) return this.dead(event, error.reason, error.why);
    if (error instanceof DeadLetter) return this.dead(event, "rejected", error);
    if (isPapaError(error, "invalid-output")) return this.dead(event, "invalid-output", error);
    if (event.attempt > this.#options.retries) return this.dead(event, "retries-exhausted", error);
    return this.#retry(event, event.attempt + 1, error);
  }

  /** Has an event wait whose handler succeeded while the broker refuses its outputs for now. That is no failure of it and not counted. */
  decideRefused(event: FailedEvent, refusal: unknown): Outcome {
    return this.#retry(event, event.attempt, refusal);
  }

  /** Makes a dead letter of an event. */
  dead(event: FailedEvent, reason: DeadLetterReason, error: unknown): Outcome {
    const { useCase, clock, headers } = this.#options;
    const note = { useCase, reason, attempts: event.attempt, error: errorText(error) };
    return dead(encodeDeadLetter(event, note, clock.now(), headers), error);
  }

  /**
   * Decides what to store in place of an outcome that the broker refuses for good, so that there is no event that can
   * be neither retried nor dead-lettered (D5); `undefined` where nothing smaller is left.
   */
  instead(event: FailedEvent, refused: Outcome, refusal: unknown): Outcome | undefined {
    switch (refused.settlement.kind) {
      case "done":
        return this.dead(event, "invalid-output", refusal);
      case "retry":
        return this.dead(event, "retries-exhausted", refused.error);
      case "forward":
        return this.dead(event, "unknown-event", refusal);
      case "dead": {
        const smaller = smallestDeadLetter(refused.settlement.event);
        return smaller && new Outcome({ ...refused.settlement, event: smaller }, refused.error);
      }
      default:
        return undefined;
    }
  }

  #retry(event: FailedEvent, attempt: number, error: unknown): Outcome {
    const { clock, headers } = this.#options;
    const waiting = encodeRetry(event, attempt, errorText(error), clock.now(), headers);
    return retry(waiting, this.#delay(event, error), error);
  }

  #delay(event: FailedEvent, error: unknown): number {
    try {
      // Checked again: it may come from another copy of the package, or from JavaScript.
      if (error instanceof RetryAfter) return toMilliseconds(error.delay, "RetryAfter delay");
      return this.#options.retryDelay(event.attempt, error);
    } catch (problem) {
      event.logger.error(
        { err: problem },
        `The delay of a retry could not be determined; the event waits ${FALLBACK_DELAY_MS} ms.`,
      );
      return FALLBACK_DELAY_MS;
    }
  }
}
