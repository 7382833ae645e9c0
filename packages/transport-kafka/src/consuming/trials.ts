import type { Trials } from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import { papaErrorOf } from "../client/errors.ts";
import type { Registry } from "../declarations/registry.ts";

/** An event that has not come back for so long will not: its trials are forgotten. */
const KEEP_MS = 7 * 86_400_000;
const MAX_FORGOTTEN_AT_ONCE = 100;

/** Records trials in the registry, which survives every process (T6). */
export class KafkaTrials implements Trials {
  readonly #cluster: Cluster;
  readonly #registry: Registry;

  constructor(cluster: Cluster, registry: Registry) {
    this.#cluster = cluster;
    this.#registry = registry;
  }

  /** @throws PapaError */
  async begin(useCase: string, eventId: string, trial: string): Promise<number> {
    try {
      await this.#registry.beginTrial(useCase, eventId, trial);
      const all = [...this.#registry.trials(useCase, eventId)];
      void this.#forgetOld();
      return all.filter((each) => each !== trial).length;
    } catch (error) {
      throw papaErrorOf(error, this.#cluster.address);
    }
  }

  /** @throws PapaError */
  async end(useCase: string, eventId: string, trial?: string): Promise<void> {
    try {
      if (trial === undefined) await this.#registry.refresh();
      const trials = trial === undefined ? this.#registry.trials(useCase, eventId) : [trial];
      await this.#registry.endTrials(trials.map((each) => ({ useCase, eventId, trial: each })));
    } catch (error) {
      throw papaErrorOf(error, this.#cluster.address);
    }
  }

  /** Events may vanish with their records: purged, expired, or of a use case that nobody runs. */
  async #forgetOld(): Promise<void> {
    const old = [...this.#registry.trialsOlderThan(KEEP_MS)].slice(0, MAX_FORGOTTEN_AT_ONCE);
    await this.#registry.endTrials(old).catch((error: unknown) => {
      this.#cluster.logger.debug({ err: error }, "Old records of trials could not be removed; it is tried again.");
    });
  }
}
