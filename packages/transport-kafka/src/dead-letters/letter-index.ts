import type { Cluster } from "../client/cluster.ts";
import { TopicTail } from "../client/topic-tail.ts";

/** Knows where each dead letter of a topic is, by following the topic: some hundred bytes for each letter. */
export class LetterIndex {
  readonly #cluster: Cluster;
  readonly #tail: TopicTail;
  /** Offsets by id, in ascending order. */
  readonly #offsets = new Map<string, number>();

  constructor(cluster: Cluster, topic: string) {
    this.#cluster = cluster;
    this.#tail = new TopicTail(
      cluster,
      topic,
      ({ key, value, offset }) => {
        const id = key?.toString();
        if (id === undefined) return;
        // One that was stored again after an unknown outcome moves to the end, as it does in the topic.
        this.#offsets.delete(id);
        if (value !== null) this.#offsets.set(id, offset);
      },
      () => this.#offsets.clear(),
    );
  }

  /** Resolves when everything that was stored before the call is known. @throws KafkaError */
  async refresh(): Promise<void> {
    // Somebody may have deleted the topic, and made it anew.
    await this.#cluster.retried(() => this.#cluster.refresh([this.#tail.topic]));
    await this.#tail.refresh();
  }

  get size(): number {
    return this.#offsets.size;
  }

  get ids(): readonly string[] {
    return [...this.#offsets.keys()];
  }

  /** The offsets of all letters, or of some, in ascending order. */
  offsets(ids?: readonly string[]): Float64Array {
    if (ids === undefined) return Float64Array.from(this.#offsets.values());
    return Float64Array.from(new Set(ids.flatMap((id) => this.#offsets.get(id) ?? []))).sort();
  }

  /** Whether a letter is there, at this offset where one is given. */
  has(id: string, offset?: number): boolean {
    const found = this.#offsets.get(id);
    return found !== undefined && (offset === undefined || found === offset);
  }
}
