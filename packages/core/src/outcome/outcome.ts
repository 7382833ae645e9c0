import { randomUUID } from "node:crypto";
import type { Settlement } from "../transport/delivery.ts";
import type { EncodedEvent } from "../transport/event.ts";

/** What becomes of a delivery, and why. */
export class Outcome {
  readonly settlement: Settlement;
  /** What the handler threw, or what was wrong with the event, where that is why. */
  readonly error: unknown;

  constructor(settlement: Settlement, error?: unknown) {
    this.settlement = settlement;
    this.error = error;
  }
}

/** Handled, with nothing to publish: shared, since it is what nearly every event comes to. */
export const HANDLED = new Outcome({ kind: "done", outputs: [] });

/** Handled, with events to publish. */
export function handledWith(outputs: readonly EncodedEvent[]): Outcome {
  return outputs.length === 0 ? HANDLED : new Outcome({ kind: "done", outputs });
}

/** To be tried again. */
export function retry(event: EncodedEvent, delay: number, error: unknown): Outcome {
  return new Outcome({ kind: "retry", delay, event }, error);
}

/** To be handled by another instance. */
export function forward(event: EncodedEvent, delay: number, to: string | undefined): Outcome {
  return new Outcome({ kind: "forward", delay, event, to });
}

/** Given up. The id is made here, once: whoever is notified of the dead letter finds it under this id (L6). */
export function dead(event: EncodedEvent, error: unknown): Outcome {
  return new Outcome({ kind: "dead", id: randomUUID(), event }, error);
}
