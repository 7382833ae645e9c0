import { isPapaError } from "../errors/papa-error.ts";
import type { WorkerPool } from "../handling/worker-pool.ts";
import type { Logger } from "../logging/logger.ts";
import type { Administration } from "../transport/administration.ts";
import type { CancelTimer, Clock } from "../transport/clock.ts";

/** How often the broker is asked: a pause is to reach every instance within 5 s. */
const INTERVAL_MS = 2_000;

export interface PausesOptions {
  /** Where pauses are kept; without it there are none. */
  readonly administration: Administration | undefined;
  /** The workers of each use case. */
  readonly pools: ReadonlyMap<string, Pick<WorkerPool, "consume" | "pause">>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Has the workers of this instance follow the pauses that operators have noted in the broker. */
export class Pauses {
  readonly #options: PausesOptions;
  /** The use cases whose workers pause, or are about to. */
  readonly #paused = new Set<string>();
  /** Those whose workers are about to pause or to go on. */
  readonly #changing = new Set<string>();
  #timer: CancelTimer | undefined;
  #stopped = false;

  constructor(options: PausesOptions) {
    this.#options = options;
  }

  /** The use cases of this app that are paused, as far as is known. */
  get paused(): readonly string[] {
    return [...this.#paused];
  }

  /** Reads which use cases begin paused, and follows from then on. @throws PapaError as `Administration.paused` */
  async start(): Promise<void> {
    const { administration, pools } = this.#options;
    if (administration === undefined || pools.size === 0) return;
    for (const useCase of await administration.paused()) {
      if (!pools.has(useCase)) continue;
      this.#paused.add(useCase);
      this.#options.logger.info({ useCase }, "A use case is paused by an operator; its events wait.");
    }
    this.#plan(administration);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.();
  }

  #plan(administration: Administration): void {
    if (this.#stopped) return;
    this.#timer = this.#options.clock.after(INTERVAL_MS, () => void this.#look(administration), true);
  }

  async #look(administration: Administration): Promise<void> {
    try {
      const paused = new Set(await administration.paused());
      for (const useCase of this.#options.pools.keys()) void this.#follow(useCase, paused.has(useCase));
    } catch (error) {
      // A broker that is away is told of elsewhere; what is paused stays so.
      if (!this.#stopped)
        this.#options.logger.debug({ err: error }, "The pauses could not be read; it is tried again.");
    }
    this.#plan(administration);
  }

  async #follow(useCase: string, paused: boolean): Promise<void> {
    const { pools, logger } = this.#options;
    const pool = pools.get(useCase);
    if (pool === undefined || this.#stopped || this.#changing.has(useCase)) return;
    if (this.#paused.has(useCase) === paused) return;
    this.#changing.add(useCase);
    try {
      if (paused) this.#paused.add(useCase);
      await (paused ? pool.pause() : pool.consume());
      if (!paused) this.#paused.delete(useCase);
      if (this.#stopped) return;
      logger.info(
        { useCase },
        paused
          ? "A use case was paused by an operator; its events wait."
          : "A use case was resumed by an operator; its events are handled again.",
      );
    } catch (error) {
      // One that was removed while it was paused is paused no longer, and there is nothing to go on with.
      if (isPapaError(error, "unknown-use-case")) {
        this.#paused.delete(useCase);
        return;
      }
      // The next look tries again.
      if (paused) this.#paused.delete(useCase);
      if (!this.#stopped)
        logger.warn({ err: error, useCase, paused }, "A pause could not be followed; it is tried again.");
    } finally {
      this.#changing.delete(useCase);
    }
  }
}
