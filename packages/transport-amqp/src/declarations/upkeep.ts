import type { Logger } from "@papa-events/core/transport";
import type { EventExchange } from "./event-exchange.ts";
import type { Topology } from "./topology.ts";

/** What somebody has deleted is to be noticed within 5 s (L8). */
const INTERVAL_MS = 4_000;
/** How many use cases are looked at in one turn: each costs the broker some eight small calls. */
const MAX_USE_CASES_PER_TURN = 50;

export interface UpkeepOptions {
  /** What this app declares: the patterns of each use case. */
  readonly declared: () => ReadonlyMap<string, readonly string[]>;
  readonly topology: Topology;
  readonly exchange: EventExchange;
  /** Declares a use case again. */
  readonly redeclare: (useCase: string) => Promise<void>;
  /** Whether the broker can be asked and takes what is said. */
  readonly reachable: () => boolean;
  readonly logger: Logger;
}

/**
 * Makes again what operators delete of this app's use cases while it runs and no consumer would notice: exchanges, bindings,
 * queues of dead letters. AMQP cannot tell which bindings there are, so that they are simply made again, which changes nothing where
 * they are there, and says nothing where they were not.
 */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #timer: NodeJS.Timeout;
  #looking = false;
  /** Where the next turn goes on. */
  #next = 0;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#turn(), INTERVAL_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #turn(): Promise<void> {
    if (this.#looking || !this.#options.reachable()) return;
    this.#looking = true;
    await this.#lookAfterExchange();
    for (const [useCase, patterns] of this.#dueNow()) {
      try {
        await this.#lookAfter(useCase, patterns);
      } catch (error) {
        // A lost connection, a removed use case, a right that is gone: whoever needs it tells of it.
        this.#options.logger.debug({ err: error, useCase }, "A use case could not be looked after.");
      }
    }
    this.#looking = false;
  }

  /** An app that only publishes notices it when it does. */
  async #lookAfterExchange(): Promise<void> {
    const { declared, exchange, logger } = this.#options;
    if (declared().size === 0) return;
    try {
      await exchange.look();
    } catch (error) {
      logger.debug({ err: error }, "The exchange for events could not be looked after.");
    }
  }

  async #lookAfter(useCase: string, patterns: readonly string[]): Promise<void> {
    const { topology, redeclare, logger } = this.#options;
    const missing = await topology.missingQueues(useCase);
    if (missing.length === 0) return topology.rebind(useCase, patterns);
    logger.warn({ useCase, queues: missing }, "Queues of a use case were deleted; they are declared again.");
    await redeclare(useCase);
  }

  #dueNow(): readonly (readonly [string, readonly string[]])[] {
    const all = [...this.#options.declared()];
    if (this.#next >= all.length) this.#next = 0;
    const due = all.slice(this.#next, this.#next + MAX_USE_CASES_PER_TURN);
    this.#next += due.length;
    return due;
  }
}
