import { recognisedByBrand } from "../errors/brand.ts";
import type { PapaError } from "../errors/papa-error.ts";
import type { DeadLetterReason } from "../wire/dead-letter.ts";

/** A plain `instanceof` would look into whatever a handler has thrown, and throw where that is a proxy that does. */
const BRAND = Symbol("papa-events.given-up");

/** Thrown on the way to a handler for an event that is a dead letter at once, whatever retries are left. */
export class GivenUp extends Error {
  readonly reason: DeadLetterReason;
  /** What the dead letter says. */
  readonly why: PapaError;

  constructor(reason: DeadLetterReason, why: PapaError) {
    super(why.message);
    this.reason = reason;
    this.why = why;
    Object.defineProperty(this, BRAND, { value: true });
  }

  static {
    recognisedByBrand(GivenUp, BRAND);
  }
}
