import { partitionKey, type TopicPartition } from "../wire/topic-partition.ts";

/** Leaders move and brokers restart within less. */
const HELD_UP_AFTER_MS = 5_000;

interface HeldUp {
  readonly source: TopicPartition;
  /** By the monotonic clock. */
  readonly since: number;
  problem: string;
}

/** Notices partitions that do not get on, and says why (L6). */
export class HeldUpPartitions {
  readonly #all = new Map<string, HeldUp>();

  /** Notes what keeps a partition from being read. */
  note(source: TopicPartition, problem: string): void {
    const key = partitionKey(source);
    const known = this.#all.get(key);
    if (known === undefined) this.#all.set(key, { source, since: performance.now(), problem });
    else known.problem = problem;
  }

  /** Notes that a partition gets on. */
  over(source: TopicPartition): void {
    if (this.#all.size > 0) this.#all.delete(partitionKey(source));
  }

  /** Forgets the others, which somebody else reads. */
  keepOnly(sources: readonly TopicPartition[]): void {
    if (this.#all.size === 0) return;
    const kept = new Set(sources.map(partitionKey));
    for (const key of this.#all.keys()) if (!kept.has(key)) this.#all.delete(key);
  }

  /** What has held partitions up for some time; `undefined` while all of them get on. */
  get problem(): string | undefined {
    const now = performance.now();
    const late = [...this.#all.values()].filter(({ since }) => now - since >= HELD_UP_AFTER_MS);
    const [first, ...others] = late;
    if (first === undefined) return undefined;
    const { topic, partition } = first.source;
    const more = others.length === 0 ? "" : `, and ${others.length} more partitions`;
    return `${topic} [${partition}] is held up: ${first.problem}${more}`;
  }
}
