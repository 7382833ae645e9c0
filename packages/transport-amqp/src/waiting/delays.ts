import type { Logger } from "@papa-events/core/transport";
import type { Registry } from "../declarations/registry.ts";
import type { Topology } from "../declarations/topology.ts";

/** Declares delay queues on demand, and remembers those that this connection has declared. */
export class Delays {
  readonly #topology: Topology;
  readonly #registry: Registry;
  readonly #logger: Logger;
  readonly #declared = new Map<string, Map<number, Promise<void>>>();

  constructor(topology: Topology, registry: Registry, logger: Logger) {
    this.#topology = topology;
    this.#registry = registry;
    this.#logger = logger;
  }

  /** Resolves when the queue of a step exists. @throws PapaError */
  ready(useCase: string, step: number): Promise<void> {
    let steps = this.#declared.get(useCase);
    if (steps === undefined) this.#declared.set(useCase, (steps = new Map()));
    let declaring = steps.get(step);
    if (declaring === undefined) {
      declaring = this.#topology.declareDelayQueue(useCase, step);
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

  /** Records the queue for whoever counts what waits. No event waits for that. */
  #record(useCase: string, step: number): void {
    this.#registry.addDelays(useCase, [step]).catch((error: unknown) => {
      this.#logger.debug({ err: error, useCase, step }, "A new delay queue could not be recorded.");
    });
  }
}
