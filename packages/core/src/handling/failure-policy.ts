import { isPapaError } from "../errors/papa-error.ts";
import type { Logger } from "../logger.ts";
import { toMilliseconds } from "../retry/duration.ts";
import type { DelayFunction } from "../retry/retry-delay.ts";
import { DeadLetter, RetryAfter } from "../retry/signals.ts";
import type { Clock } from "../transport/clock.ts";
import type { EncodedEvent } from "../transport/event.ts";
import { type ErrorText, errorText } from "../wire/error-text.ts";
import { type DeadLetterReason, encodeDeadLetter, encodeRetry } from "../wire/failure.ts";
import type { DeliveryContext } from "./delivery-context.ts";
import { dead, type Outcome, retry } from "./outcome.ts";

/** The wait where the use case's own delay function fails. */
const FALLBACK_DELAY = 10_000;

export interface FailurePolicyOptions {
  readonly useCase: string;
  /** Redeliveries after the first attempt (T1). */
  readonly retries: number;
  readonly retryDelay: DelayFunction;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Decides between a retry and a dead letter (T1, T2, T5), and writes down why (D1). */
export class FailurePolicy {
  readonly #options: FailurePolicyOptions;

  constructor(options: FailurePolicyOptions) {
    this.#options = options;
  }

  /** What becomes of an event whose handler threw `error`. */
  failed(context: DeliveryContext, body: Uint8Array, error: unknown): Outcome {
    if (error instanceof DeadLetter) return this.dead(context, body, "rejected", error);
    if (isPapaError(error, "invalid-output")) return this.dead(context, body, "invalid-output", error);
    if (context.attempt > this.#options.retries) return this.dead(context, body, "retries-exhausted", error);
    const event = encodeRetry(
      { reader: context.reader, body },
      context.attempt + 1,
      errorText(error),
      this.#options.clock.now(),
    );
    return retry(event, this.#delay(context, error), error);
  }

  /** A dead letter at once. */
  dead(context: DeliveryContext, body: Uint8Array, reason: DeadLetterReason, error: unknown): Outcome {
    const text: ErrorText = errorText(error);
    const letter = { useCase: this.#options.useCase, reason, attempts: context.attempt, error: text };
    const event: EncodedEvent = encodeDeadLetter({ reader: context.reader, body }, letter, this.#options.clock.now());
    return dead(event, error);
  }

  #delay(context: DeliveryContext, error: unknown): number {
    try {
      // Checked again: it may come from another copy of the package, or from JavaScript.
      if (error instanceof RetryAfter) return toMilliseconds(error.delay, "RetryAfter delay");
      return this.#options.retryDelay(context.attempt, error);
    } catch (problem) {
      context.logger.error({ error: problem }, `No delay of a retry; the event waits ${FALLBACK_DELAY} ms instead.`);
      return FALLBACK_DELAY;
    }
  }
}
