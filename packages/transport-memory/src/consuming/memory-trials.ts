import type { Trials } from "@papa-events/core/transport";

/** The trials that have begun and were not taken back (T6), by use case and event. Outlives connections, as the broker does. */
export class MemoryTrials implements Trials {
  readonly #open = new Map<string, Map<string, Set<string>>>();

  async begin(useCase: string, eventId: string, trial: string): Promise<number> {
    let events = this.#open.get(useCase);
    if (events === undefined) this.#open.set(useCase, (events = new Map()));
    const trials = events.get(eventId) ?? new Set();
    const earlier = trials.size;
    events.set(eventId, trials.add(trial));
    return earlier;
  }

  async end(useCase: string, eventId: string, trial?: string): Promise<void> {
    const events = this.#open.get(useCase);
    const trials = events?.get(eventId);
    if (trial !== undefined) trials?.delete(trial);
    if (trial === undefined || trials?.size === 0) events?.delete(eventId);
    if (events?.size === 0) this.#open.delete(useCase);
  }

  /** Forgets those of a use case that is removed. */
  forget(useCase: string): void {
    this.#open.delete(useCase);
  }
}
