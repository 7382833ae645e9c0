import type { WorkerProcess } from "./worker-process.ts";

/** A place that one process fills after another, as a supervisor has it. */
export interface Place {
  /** None while it is being started, and after it left. */
  worker: WorkerProcess | undefined;
  /** How many facts the processes in it reported. */
  facts: number;
}

interface CrewOptions {
  /** Starts a process; resolves when it is ready. */
  readonly start: (onFact: () => void) => Promise<WorkerProcess>;
  /** Called with each that is dead, and whether it was killed. */
  readonly onEnd: (worker: WorkerProcess, killed: boolean) => void;
}

/** The processes of one role. */
export class Crew {
  readonly places: Place[] = [];
  /** Those that left. */
  readonly #left: Place[] = [];
  readonly #options: CrewOptions;

  constructor(options: CrewOptions) {
    this.#options = options;
  }

  /** One more process. */
  async join(): Promise<Place> {
    const place: Place = { worker: undefined, facts: 0 };
    this.places.push(place);
    await this.fill(place);
    return place;
  }

  /** Starts one in an empty place. */
  async fill(place: Place): Promise<void> {
    place.worker = await this.#startIn(place);
  }

  /** `kill -9`; its place is empty then. */
  async kill(place: Place | undefined): Promise<void> {
    const worker = place?.worker;
    if (place === undefined || worker === undefined) return;
    place.worker = undefined;
    await worker.kill();
    this.#options.onEnd(worker, true);
  }

  /** Starts another in its place, then stops it cleanly, as a deployment does, after `meanwhile`. */
  async roll(place: Place | undefined, meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    if (place === undefined) return;
    const before = place.worker;
    place.worker = await this.#startIn(place);
    await meanwhile();
    if (before !== undefined) await this.#stop(before);
  }

  /** Stops one cleanly; its place is gone. */
  async leave(place: Place | undefined): Promise<void> {
    const worker = place?.worker;
    if (place === undefined || worker === undefined) return;
    this.places.splice(this.places.indexOf(place), 1);
    this.#left.push(place);
    place.worker = undefined;
    await this.#stop(worker);
  }

  /** Fills the places of those that are dead by themselves again. */
  async revive(): Promise<void> {
    for (const place of this.places) {
      if (place.worker?.failed !== true) continue;
      this.#options.onEnd(place.worker, true);
      place.worker = undefined;
      await this.fill(place);
    }
  }

  /** Whether one ended by itself. */
  get failed(): boolean {
    return this.places.some(({ worker }) => worker?.failed === true);
  }

  /** Which part of all facts came from each place that there is, in percent, less what it had before. */
  sharesSince(before: ReadonlyMap<Place, number>): number[] {
    return percent(this.places.map((place) => place.facts - (before.get(place) ?? 0)));
  }

  /** Which part of all facts came from each place that there ever was, in percent. */
  get shares(): number[] {
    return percent([...this.#left, ...this.places].map(({ facts }) => facts));
  }

  /** What each place has reported up to now. */
  counts(): ReadonlyMap<Place, number> {
    return new Map(this.places.map((place) => [place, place.facts]));
  }

  async close(): Promise<void> {
    for (const place of this.places) await this.kill(place);
  }

  async #stop(worker: WorkerProcess): Promise<void> {
    await worker.stop();
    this.#options.onEnd(worker, false);
  }

  #startIn(place: Place): Promise<WorkerProcess> {
    return this.#options.start(() => {
      place.facts += 1;
    });
  }
}

function percent(counts: readonly number[]): number[] {
  const all = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (all === 0 ? 0 : (100 * count) / all));
}
