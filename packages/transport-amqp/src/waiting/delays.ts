import type { Logger } from "@papa-events/core/transport";
import type { Registry } from "../declarations/registry.ts";
import type { Topology } from "../declarations/topology.ts";

/** Queues take a time to live of at most 2^32 - 1 ms, some 49 days; a longer delay ends there. */
const LONGEST = 4_294_967_000;
/** Each longer step is so much longer than the one before: within the 10 % that a delay may be late. */
const GROWTH = 1.09;
/** Delays that people write stay what they are. */
const ROUND: ReadonlySet<number> = new Set([15, 20, 30, 60, 120, 300, 600, 1_800, 3_600].map((each) => each * 1_000));

/**
 * The delay that there is a queue for: at least as long as asked, so that nothing is early, and late by at most 100 ms
 * below 2 s, 0.5 s below 10 s, 9 % beyond. Without steps, jitter and `RetryAfter` would make a queue per millisecond;
 * with them even all delays up to ten minutes are under a hundred.
 */
export function delayStep(delay: number): number {
  if (!(delay > 0)) return 0;
  if (delay <= 2_000) return Math.ceil(delay / 100) * 100;
  if (delay <= 10_000) return Math.ceil(delay / 500) * 500;
  if (delay >= LONGEST) return LONGEST;
  if (ROUND.has(delay)) return delay;
  const steps = Math.floor(Math.log(delay / 10_000) / Math.log(GROWTH));
  const step = longStep(steps);
  return step >= delay ? step : Math.max(longStep(steps + 1), delay);
}

function longStep(steps: number): number {
  return Math.ceil((10_000 * GROWTH ** steps) / 100) * 100;
}

/** The delay queues that this connection knows to exist, made on demand. */
export class Delays {
  readonly #topology: Topology;
  readonly #registry: Registry;
  readonly #logger: Logger;
  readonly #made = new Map<string, Map<number, Promise<void>>>();

  constructor(topology: Topology, registry: Registry, logger: Logger) {
    this.#topology = topology;
    this.#registry = registry;
    this.#logger = logger;
  }

  /** Resolves when the queue is there. @throws PapaError */
  ready(useCase: string, step: number): Promise<void> {
    let steps = this.#made.get(useCase);
    if (steps === undefined) this.#made.set(useCase, (steps = new Map()));
    let making = steps.get(step);
    if (making === undefined) {
      making = this.#topology.delay(useCase, step);
      steps.set(step, making);
      making.then(
        () => this.#remember(useCase, step),
        () => this.forget(useCase, step),
      );
    }
    return making;
  }

  /** To be called when a queue turns out to be missing. */
  forget(useCase: string, step: number): void {
    this.#made.get(useCase)?.delete(step);
  }

  known(useCase: string): Iterable<number> {
    return this.#made.get(useCase)?.keys() ?? [];
  }

  /** For those who count what waits; no event waits for it. */
  #remember(useCase: string, step: number): void {
    this.#registry.addDelay(useCase, step).catch((error: unknown) => {
      this.#logger.debug({ error, useCase, step }, "A new delay queue could not be noted.");
    });
  }
}
