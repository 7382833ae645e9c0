import type { Cluster } from "../client/cluster.ts";
import type { KafkaRecord } from "../wire/records.ts";
import { partitionKey, type TopicPartition } from "../wire/topic-partition.ts";
import type { BrokerClock } from "./broker-clock.ts";

const RETRY_DELAY_MS = 200;
const QUESTION: KafkaRecord = { key: null, value: Buffer.alloc(0) };

export interface ClockQuestionsOptions {
  readonly cluster: Cluster;
  readonly clock: BrokerClock;
  /** The partitions that this instance reads: only of these the time matters. */
  readonly assigned: () => readonly TopicPartition[];
  readonly onAnswered: () => void;
}

/** Asks the brokers for their time, by storing an empty record in a partition; again until there is an answer. */
export class ClockQuestions {
  readonly #options: ClockQuestionsOptions;
  /** The partitions that are asked about, or soon again. */
  readonly #open = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor(options: ClockQuestionsOptions) {
    this.#options = options;
  }

  /** Asks about those partitions that are not being asked about. Never rejects. */
  async ask(partitions: readonly TopicPartition[]): Promise<void> {
    const asked = partitions.filter((source) => !this.#open.has(partitionKey(source)));
    if (asked.length === 0 || this.#closed) return;
    for (const source of asked) this.#open.add(partitionKey(source));
    const { cluster, onAnswered } = this.#options;
    try {
      for (const [node, list] of await cluster.byLeader(asked)) await this.#askAt(node, list);
    } catch (error) {
      for (const { topic } of asked) cluster.invalidate(topic, error);
      cluster.logger.debug({ err: error }, "The broker's time is not known; waiting events may be late.");
    }
    const unanswered = asked.filter((source) => this.#open.has(partitionKey(source)));
    if (unanswered.length > 0) this.#askAgain(unanswered);
    if (unanswered.length < asked.length && !this.#closed) onAnswered();
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #askAt(node: number, sources: readonly TopicPartition[]): Promise<void> {
    const { cluster, clock } = this.#options;
    const batches = sources.map((source) => ({ ...source, records: [QUESTION] }));
    const sentAt = performance.now();
    for (const result of await cluster.client.produce(node, batches)) {
      const { topic, partition, offset, time, error } = result;
      if (error !== undefined) {
        cluster.invalidate(topic, error);
        continue;
      }
      if (time > 0) clock.answered(partition, offset, time, sentAt);
      this.#open.delete(partitionKey(result));
    }
  }

  #askAgain(unanswered: readonly TopicPartition[]): void {
    if (this.#closed) return;
    const keys = new Set(unanswered.map(partitionKey));
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      for (const key of keys) this.#open.delete(key);
      // Others may read these partitions by now.
      void this.ask(this.#options.assigned().filter((source) => keys.has(partitionKey(source))));
    }, RETRY_DELAY_MS);
    this.#timers.add(timer);
  }
}
