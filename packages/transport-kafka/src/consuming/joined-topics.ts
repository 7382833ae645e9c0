import type { Cluster } from "../client/cluster.ts";

/** The topics that a group was joined with, as they were then. */
export class JoinedTopics {
  readonly #cluster: Cluster;
  #topics: ReadonlyMap<string, string | undefined> = new Map();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Whether the group has never been joined. */
  get empty(): boolean {
    return this.#topics.size === 0;
  }

  note(topics: readonly string[]): void {
    this.#topics = new Map(topics.map((topic) => [topic, this.#describe(topic)]));
  }

  /** Whether these are others, or other topics of these names, or have other partitions, or do not exist any more, as far as is known at the moment. */
  differ(topics: readonly string[]): boolean {
    if (new Set(topics).size !== this.#topics.size) return true;
    return topics.some((topic) => {
      if (!this.#topics.has(topic)) return true;
      const now = this.#describe(topic);
      return now !== undefined && now !== this.#topics.get(topic);
    });
  }

  /** `undefined` while nothing is known of it, as after its leader has moved. */
  #describe(topic: string): string | undefined {
    const partitions = this.#cluster.partitionsOf(topic);
    if (partitions > 0) return `${partitions} ${this.#cluster.idOf(topic) ?? ""}`;
    return this.#cluster.isMissing(topic) ? "" : undefined;
  }
}
