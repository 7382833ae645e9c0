import type { Logger } from "@papa-events/core/transport";

const INTERVAL_MS = 60_000;

/** Counts events that lie in a topic where nobody looks for their name, and says so (L5): another program has put them there. */
export class StrayEvents {
  readonly #logger: Logger;
  readonly #topics = new Map<string, { count: number; saidAt: number }>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @param name what it is called, maybe nothing */
  note(topic: string, name: string): void {
    const known = this.#topics.get(topic) ?? { count: 0, saidAt: Number.NEGATIVE_INFINITY };
    this.#topics.set(topic, known);
    known.count += 1;
    const now = performance.now();
    if (now - known.saidAt < INTERVAL_MS) return;
    known.saidAt = now;
    this.#logger.warn(
      { topic, name, count: known.count },
      "The topic holds events whose ce_type is not one that belongs there; no use case gets them.",
    );
  }
}
