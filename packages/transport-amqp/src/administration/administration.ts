import type { Administration, Finding, Tail, TailListener } from "@papa-events/core/transport";
import type { DeadLetterQueue } from "../dead-letters/dead-letter-queue.ts";
import type { EventExchange } from "../declarations/event-exchange.ts";
import type { DiagnosisOptions } from "./diagnose.ts";
import { diagnose } from "./diagnose.ts";
import { LiveTail, tailNames } from "./live-tail.ts";
import { removeUseCase } from "./removal.ts";

export interface AdministrationOptions extends DiagnosisOptions {
  /** Runs an idempotent action, and runs it again if a connection is lost under it. */
  readonly retryOnReconnect: <T>(action: () => Promise<T>) => Promise<T>;
  readonly exchange: EventExchange;
  /** The dead letters of a use case. */
  readonly deadLetterQueue: (useCase: string) => DeadLetterQueue;
}

/** What operators do. The registry remembers use cases and removals; pauses have a queue of their own. */
export class AmqpAdministration implements Administration {
  readonly #options: AdministrationOptions;
  readonly #tails = new Set<LiveTail>();

  constructor(options: AdministrationOptions) {
    this.#options = options;
  }

  async useCases(): Promise<readonly string[]> {
    const { registry, deadLetterQueue } = this.#options;
    const { declared, kept } = await registry.useCases();
    const names = new Set(declared);
    // Those that were removed count as long as any of the dead letters is left that were kept.
    for (const useCase of kept) if (((await deadLetterQueue(useCase).count()) ?? 0) > 0) names.add(useCase);
    return [...names].sort();
  }

  paused(): Promise<readonly string[]> {
    const { pauses, retryOnReconnect } = this.#options;
    // Every app asks while it starts.
    return retryOnReconnect(() => pauses.list());
  }

  pause(useCase: string): Promise<void> {
    return this.#options.pauses.set(useCase, true);
  }

  resume(useCase: string): Promise<void> {
    return this.#options.pauses.set(useCase, false);
  }

  remove(useCase: string, deadLetters: "keep" | "purge"): Promise<boolean> {
    return removeUseCase(useCase, deadLetters, this.#options);
  }

  async tail(patterns: readonly string[], listener: TailListener): Promise<Tail> {
    const { names, channels, exchange } = this.#options;
    await exchange.look();
    const tail = await LiveTail.begin(tailNames(names), channels, patterns, listener, (ended) =>
      this.#tails.delete(ended),
    );
    this.#tails.add(tail);
    return tail;
  }

  diagnose(): Promise<readonly Finding[]> {
    return diagnose(this.#options);
  }

  /** The connection is lost or closed, and the tails with it. */
  end(error: Error): void {
    for (const tail of this.#tails) tail.end(error);
  }
}
