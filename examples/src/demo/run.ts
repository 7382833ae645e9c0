import { randomBytes } from "node:crypto";

/** W3C Trace Context: version, trace id, span id, flags. */
const TRACEPARENT = /^00-([0-9a-f]{16})([0-9a-f]{16})-/;

/**
 * Tells the events of this run from whatever else is on the broker, and a duplicate from another event. Each delivery
 * is published with a trace of its own, which the events that its handlers return carry on.
 */
export class Run {
  readonly #id = randomBytes(8).toString("hex");

  /** The header of the delivery number `n`. */
  traceparent(n: number): string {
    return `00-${this.#id}${hex(n)}-${hex(n + 1)}-01`;
  }

  /** What is the same for an event and its duplicates, and no other; `undefined` for an event of another run. */
  keyOf(eventName: string, headers: Readonly<Record<string, string>>): string | undefined {
    const [, run, delivery] = TRACEPARENT.exec(headers.traceparent ?? "") ?? [];
    return run === this.#id ? `${delivery} ${eventName}` : undefined;
  }
}

function hex(n: number): string {
  return n.toString(16).padStart(16, "0");
}
