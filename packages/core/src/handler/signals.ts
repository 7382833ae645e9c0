import { recognisedByBrand } from "../errors/brand.ts";
import { type Duration, toMilliseconds } from "../options/duration.ts";

const DEAD_LETTER = Symbol.for("papa-events.dead-letter");
const RETRY_AFTER = Symbol.for("papa-events.retry-after");

/**
 * Thrown by a handler: this event is not to be tried again. It becomes a dead letter with the reason
 * `rejected` (T5).
 *
 * @example throw new DeadLetter("the account is closed");
 */
export class DeadLetter extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DeadLetter";
    Object.defineProperty(this, DEAD_LETTER, { value: true });
  }

  static {
    recognisedByBrand(DeadLetter, DEAD_LETTER);
  }
}

/**
 * Thrown by a handler: try again after this delay instead of the use case's own (T5). It counts as a retry.
 *
 * @example throw new RetryAfter("2m", { cause: tooManyRequests });
 */
export class RetryAfter extends Error {
  /** The delay in milliseconds. */
  readonly delay: number;

  /** @throws PapaError `invalid-option` for a delay that is not a valid duration. */
  constructor(delay: Duration, options?: ErrorOptions & { readonly message?: string | undefined }) {
    super(options?.message ?? `retry after ${delay}`, options);
    this.name = "RetryAfter";
    this.delay = toMilliseconds(delay, "RetryAfter delay");
    Object.defineProperty(this, RETRY_AFTER, { value: true });
  }

  static {
    recognisedByBrand(RetryAfter, RETRY_AFTER);
  }
}
