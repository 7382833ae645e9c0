import type { Administration, Finding, TailListener } from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import { papaErrorOf } from "../client/errors.ts";
import type { Registry } from "../declarations/registry.ts";
import type { Topology } from "../declarations/topology.ts";
import type { WaitingCounts } from "../waiting/waiting-counts.ts";
import { KafkaError } from "../wire/kafka-error.ts";
import { diagnose } from "./diagnose.ts";
import { LiveTail } from "./live-tail.ts";
import { hasRemains, removeUseCase } from "./removal.ts";

export interface AdministrationOptions {
  readonly cluster: Cluster;
  readonly topology: Topology;
  readonly registry: Registry;
  readonly waiting: WaitingCounts;
}

/** What operators do. The registry remembers use cases, pauses and removals; the rest is looked at. */
export class KafkaAdministration implements Administration {
  readonly #options: AdministrationOptions;
  readonly #tails = new Set<LiveTail>();

  constructor(options: AdministrationOptions) {
    this.#options = options;
  }

  useCases(): Promise<readonly string[]> {
    return this.#mapErrors(async () => {
      const { registry, cluster, topology } = this.#options;
      await registry.refresh();
      const remembered: string[] = [];
      for (const useCase of registry.useCases)
        if (!registry.removed.has(useCase) || (await hasRemains(useCase, cluster, topology))) remembered.push(useCase);
      return remembered.sort();
    });
  }

  /** Costs a request to the broker, and no more while the registry does not change. */
  paused(): Promise<readonly string[]> {
    return this.#mapErrors(async () => {
      const { registry } = this.#options;
      await registry.refresh();
      return [...registry.paused].sort();
    });
  }

  pause(useCase: string): Promise<void> {
    return this.#mapErrors(() => this.#options.registry.pause(useCase, true));
  }

  resume(useCase: string): Promise<void> {
    return this.#mapErrors(() => this.#options.registry.pause(useCase, false));
  }

  remove(useCase: string, deadLetters: "keep" | "purge"): Promise<boolean> {
    return this.#mapErrors(() => removeUseCase(useCase, deadLetters, this.#options));
  }

  tail(patterns: readonly string[], listener: TailListener): Promise<LiveTail> {
    return this.#mapErrors(async () => {
      const { cluster, registry } = this.#options;
      // It tells which topics of others hold events; an account may look at the others without it.
      await registry.refresh().catch((error: unknown) => {
        cluster.logger.debug({ err: error }, "The registry could not be read; topics of others are not shown.");
      });
      const tail = await LiveTail.begin(cluster, registry.topics, patterns, listener, (ended) =>
        this.#tails.delete(ended),
      );
      this.#tails.add(tail);
      return tail;
    });
  }

  diagnose(): Promise<readonly Finding[]> {
    return this.#mapErrors(() => diagnose(this.#options));
  }

  /** The connection is closed, and the tails end with it. */
  close(): void {
    const error = new KafkaError("CLOSED", "The connection was closed.", false);
    for (const tail of this.#tails) tail.end(papaErrorOf(error, this.#options.cluster.address));
  }

  async #mapErrors<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw papaErrorOf(error, this.#options.cluster.address);
    }
  }
}
