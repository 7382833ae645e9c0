import type { PapaError } from "../errors/papa-error.ts";
import type { DeadLetterReason } from "../wire/dead-letter.ts";

/** Thrown on the way to a handler for an event that is a dead letter at once, whatever retries are left. */
export class GivenUp extends Error {
  readonly #reason: DeadLetterReason;
  /** What the dead letter says. */
  readonly why: PapaError;

  constructor(reason: DeadLetterReason, why: PapaError) {
    super(why.message);
    this.#reason = reason;
    this.why = why;
  }

  get reason(): DeadLetterReason {
    return this.#reason;
  }

  /** By a private member, which no other object has and no proxy can claim to have, whatever a handler has thrown. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && #reason in value;
  }
}
