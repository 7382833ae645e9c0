import type { Administration, TailListener } from "@papa-events/core/transport";
import type { Queue } from "../consuming/queue.ts";
import { diagnose } from "./diagnose.ts";
import type { Tails, WatchingTail } from "./tails.ts";

/** What the broker gives operators. */
export interface Administered {
  readonly paused: Set<string>;
  readonly tails: Tails;
  queues(): Iterable<Queue>;
  remove(useCase: string, deadLetters: "keep" | "purge"): boolean;
}

/** What one connection does for operators, and what ends with it. */
export class MemoryAdministration implements Administration {
  readonly #broker: Administered;
  readonly #assertConnected: () => void;
  readonly #tails = new Set<WatchingTail>();

  constructor(broker: Administered, assertConnected: () => void) {
    this.#broker = broker;
    this.#assertConnected = assertConnected;
  }

  async useCases(): Promise<readonly string[]> {
    this.#assertConnected();
    return [...this.#broker.queues()].map(({ useCase }) => useCase).sort();
  }

  async paused(): Promise<readonly string[]> {
    this.#assertConnected();
    return [...this.#broker.paused].sort();
  }

  async pause(useCase: string): Promise<void> {
    this.#assertConnected();
    this.#broker.paused.add(useCase);
  }

  async resume(useCase: string): Promise<void> {
    this.#assertConnected();
    this.#broker.paused.delete(useCase);
  }

  async remove(useCase: string, deadLetters: "keep" | "purge"): Promise<boolean> {
    this.#assertConnected();
    return this.#broker.remove(useCase, deadLetters);
  }

  async tail(patterns: readonly string[], listener: TailListener): Promise<WatchingTail> {
    this.#assertConnected();
    const tail = this.#broker.tails.add(patterns, listener);
    this.#tails.add(tail);
    return tail;
  }

  async diagnose() {
    this.#assertConnected();
    return diagnose(this.#broker.queues());
  }

  /** The connection is lost, and the tails with it. */
  end(error: Error): void {
    for (const tail of this.#tails) tail.end(error);
    this.#tails.clear();
  }
}
