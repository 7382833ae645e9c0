import type { ConnectOptions } from "@papa-events/core/transport";
import type { ShardConnectOptions } from "./shard.ts";

/** Makes one of what the connections to several shards notify an app of. */
export class SharedNotices {
  readonly #options: ConnectOptions;
  readonly #lost = new Set<number>();
  /** Subject -> shard -> its problem. */
  readonly #problems = new Map<string, Map<number, string>>();
  readonly #told = new Map<string, string | undefined>();
  readonly #removed = new Set<string>();

  constructor(options: ConnectOptions) {
    this.#options = options;
  }

  /** The options of one shard's connection. */
  of(shard: number): ShardConnectOptions {
    const { onStatus, ...rest } = this.#options;
    return {
      ...rest,
      // Connected is who can publish to all.
      onStatus: (status) => {
        const wereLost = this.#lost.size > 0;
        if (status.connected) this.#lost.delete(shard);
        else this.#lost.add(shard);
        if (wereLost !== this.#lost.size > 0) onStatus(status);
      },
      onProblem: (subject, problem) => this.#onProblem(shard, subject, problem),
      isFirstToTell: (useCase) => !this.#removed.has(useCase) && this.#removed.add(useCase).size > 0,
    };
  }

  #onProblem(shard: number, subject: string, problem: string | undefined): void {
    const all = this.#problems.get(subject) ?? new Map<number, string>();
    this.#problems.set(subject, all);
    if (problem === undefined) all.delete(shard);
    else all.set(shard, problem);
    const [told] = all.values();
    if (told === this.#told.get(subject)) return;
    this.#told.set(subject, told);
    this.#options.onProblem(subject, told);
  }
}
