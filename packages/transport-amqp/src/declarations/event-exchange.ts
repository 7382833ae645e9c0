import { PapaError } from "@papa-events/core";
import type { Logger } from "@papa-events/core/transport";
import { isConnectionLost } from "../client/errors.ts";
import { inParallel } from "./in-parallel.ts";
import type { Registry } from "./registry.ts";
import type { Topology } from "./topology.ts";

export interface EventExchangeOptions {
  readonly topology: Topology;
  readonly registry: Registry;
  readonly logger: Logger;
  /** Whether this app binds queues of its own, so that its account may. */
  readonly binds: () => boolean;
}

/**
 * The exchange that events are published to, and those for the original's retries and dead letters. If somebody deletes one, its
 * bindings have gone with it, and are made again. Until they are, the broker confirms events that reach nobody: so
 * whoever publishes asks for {@link whole} first (L8).
 */
export class EventExchange {
  readonly #options: EventExchangeOptions;
  /** Set while it is known to be missing, or to lack bindings. */
  #flaw: object | undefined;
  #remaking: Promise<void> | undefined;

  constructor(options: EventExchangeOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.topology.exchange;
  }

  /** Declares the exchanges, with their bindings if one was missing. @throws PapaError */
  async ensure(): Promise<void> {
    await this.look();
    await this.#options.topology.declareExchanges();
  }

  /** Makes them again if one is missing. @throws PapaError */
  async look(): Promise<void> {
    if (this.#flaw === undefined && this.#remaking === undefined) {
      if ((await this.#options.topology.missingExchange()) === undefined) return;
    }
    this.#remaking ??= this.#remake().finally(() => {
      this.#remaking = undefined;
    });
    await this.#remaking;
  }

  /** Resolves when it has all its bindings; `undefined` if nothing is known to be wrong with it. Rejects as {@link look}. */
  whole(): Promise<void> | undefined {
    return this.#flaw === undefined ? undefined : this.look();
  }

  /** To be called when the broker says that there is none: if another app makes it again first, bindings may be missing. */
  isMissing(): void {
    this.#flaw = {};
  }

  async #remake(): Promise<void> {
    const { topology, registry, logger, binds } = this.#options;
    // Read before it is declared: from then on events are confirmed.
    const records = await registry.list();
    const useCases = [...new Set(records.map(({ useCase }) => useCase))];
    const [first] = useCases;
    if (first !== undefined && !binds() && !(await topology.mayBind(first))) return this.#leaveToOthers();
    const flaw = {};
    this.#flaw = flaw;
    await topology.declareExchanges();
    await inParallel(useCases, (useCase) =>
      this.#rebind(
        useCase,
        records.filter((each) => each.useCase === useCase).flatMap(({ patterns }) => patterns),
      ),
    );
    if (this.#flaw === flaw) this.#flaw = undefined;
    if (useCases.length > 0)
      logger.warn({ useCases: useCases.length }, "An exchange was deleted; it is declared and bound again.");
  }

  /** Made without bindings it would take events that reach nobody. Apps that handle events look after it every few seconds. */
  async #leaveToOthers(): Promise<void> {
    const { topology } = this.#options;
    if ((await topology.missingExchange()) === topology.exchange) {
      const message = `The exchange "${topology.exchange}" was deleted, and this account may not bind queues to it; apps that handle events make it again.`;
      throw new PapaError("connection-failed", message, { transport: "amqp" }, { retryable: true });
    }
    this.#flaw = undefined;
  }

  async #rebind(useCase: string, patterns: readonly string[]): Promise<void> {
    const { topology, logger } = this.#options;
    try {
      await topology.rebind(useCase, patterns);
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      // A right that is missing, a queue that is just going away: publishing to all the others must not stop for it.
      logger.warn({ err: error, useCase }, "A use case could not be bound again; its own apps try it, too.");
    }
  }
}
