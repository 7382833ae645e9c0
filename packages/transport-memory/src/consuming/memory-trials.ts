import type { Trials } from "@papa-events/core/transport";

/** The trials that have begun and were not taken back (T6). Outlives connections, as the broker does. */
export class MemoryTrials implements Trials {
  readonly #open = new Map<string, Set<string>>();

  async begin(useCase: string, eventId: string, trial: string): Promise<number> {
    const key = keyOf(useCase, eventId);
    const trials = this.#open.get(key) ?? new Set();
    const earlier = trials.size;
    this.#open.set(key, trials.add(trial));
    return earlier;
  }

  async end(useCase: string, eventId: string, trial?: string): Promise<void> {
    const key = keyOf(useCase, eventId);
    const trials = this.#open.get(key);
    if (trial !== undefined) trials?.delete(trial);
    if (trial === undefined || trials?.size === 0) this.#open.delete(key);
  }
}

function keyOf(useCase: string, eventId: string): string {
  return `${useCase}\n${eventId}`;
}
