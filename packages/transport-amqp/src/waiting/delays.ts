import type { Logger } from "@papa-events/core/transport";
import type { Locks } from "../client/locks.ts";
import type { Registry } from "../declarations/registry.ts";
import type { Topology } from "../declarations/topology.ts";
import { delayQueue, type Names } from "../wire/names.ts";

export interface DelaysOptions {
  readonly names: Names;
  readonly topology: Topology;
  readonly locks: Locks;
  readonly registry: Registry;
  readonly logger: Logger;
}

/** Declares delay queues on demand, and remembers those that this connection has declared. */
export class Delays {
  readonly #options: DelaysOptions;
  readonly #declared = new Map<string, Map<number, Promise<void>>>();

  constructor(options: DelaysOptions) {
    this.#options = options;
  }

  /** Resolves when the queue of a step exists. @throws PapaError */
  ready(useCase: string, step: number): Promise<void> {
    let steps = this.#declared.get(useCase);
    if (steps === undefined) this.#declared.set(useCase, (steps = new Map()));
    let declaring = steps.get(step);
    if (declaring === undefined) {
      declaring = this.#declare(useCase, step);
      steps.set(step, declaring);
      declaring.then(
        () => this.#record(useCase, step),
        () => this.forget(useCase, step),
      );
    }
    return declaring;
  }

  /** Must be called when a queue turns out to be missing. */
  forget(useCase: string, step: number): void {
    this.#declared.get(useCase)?.delete(step);
  }

  /** Lists the steps that this connection has declared for a use case. */
  known(useCase: string): Iterable<number> {
    return this.#declared.get(useCase)?.keys() ?? [];
  }

  /** One at a time: a quorum queue that several declare at once refuses what those send to it that did not make it. */
  #declare(useCase: string, step: number): Promise<void> {
    const { names, topology, locks } = this.#options;
    const queue = delayQueue(names.queue(useCase), step);
    return locks.hold(queue, () => topology.declareDelayQueue(useCase, step), false);
  }

  /** Records the queue for whoever counts what waits. No event waits for that. */
  #record(useCase: string, step: number): void {
    const { registry, logger } = this.#options;
    registry.addDelays(useCase, [step]).catch((error: unknown) => {
      logger.debug({ err: error, useCase, step }, "A new delay queue could not be recorded.");
    });
  }
}
