import type { Administration, Finding, Tail, TailListener } from "@papa-events/core/transport";

/** What operators do to a namespace with several shards. A pause is kept on the first. */
export class ShardedAdministration implements Administration {
  readonly #first: Administration;
  readonly #shards: readonly Administration[];

  constructor(shards: readonly [Administration, ...Administration[]]) {
    this.#shards = shards;
    this.#first = shards[0];
  }

  async useCases(): Promise<readonly string[]> {
    const names = await Promise.all(this.#shards.map((shard) => shard.useCases()));
    return [...new Set(names.flat())].sort();
  }

  paused(): Promise<readonly string[]> {
    return this.#first.paused();
  }

  pause(useCase: string): Promise<void> {
    return this.#first.pause(useCase);
  }

  resume(useCase: string): Promise<void> {
    return this.#first.resume(useCase);
  }

  async remove(useCase: string, deadLetters: "keep" | "purge"): Promise<boolean> {
    const removed = await Promise.all(this.#shards.map((shard) => shard.remove(useCase, deadLetters)));
    return removed.includes(true);
  }

  /** One that ends takes the others with it: what its shard has published is not seen any more. */
  async tail(patterns: readonly string[], { onEnd, ...listener }: TailListener): Promise<Tail> {
    const tails: Tail[] = [];
    let ended = false;
    const stop = async () => {
      ended = true;
      await Promise.all(tails.map((tail) => tail.stop()));
    };
    const onFirstEnd = (error: Error) => {
      if (ended) return;
      void stop();
      onEnd(error);
    };
    try {
      for (const shard of this.#shards) tails.push(await shard.tail(patterns, { ...listener, onEnd: onFirstEnd }));
    } catch (error) {
      await stop();
      throw error;
    }
    if (ended) await stop();
    return { stop };
  }

  /** What is said of the server or of all shards in the same words is said once. */
  async diagnose(): Promise<readonly Finding[]> {
    const findings = await Promise.all(this.#shards.map((shard) => shard.diagnose()));
    const found = new Map<string, Finding>();
    for (const [shard, each] of findings.entries()) {
      for (const finding of each) {
        const said = found.get(finding.what);
        if (said === undefined) found.set(finding.what, finding);
        else if (said.why !== finding.why) found.set(`${finding.what} ${shard}`, finding);
      }
    }
    return [...found.values()];
  }
}
