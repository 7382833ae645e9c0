import type { Cluster } from "../client/cluster.ts";
import type { KafkaRecord } from "../wire/records.ts";
import { partitionKey, type TopicPartition } from "../wire/topic-partition.ts";
import type { BrokerClock } from "./broker-clock.ts";

const RETRY_DELAY_MS = 200;
/** An operator does not change a topic's settings by the second, and each question is a record. */
const TIMELESS_DELAY_MS = 2_000;
const QUESTION: KafkaRecord = { key: null, value: Buffer.alloc(0) };

export interface ClockQuestionsOptions {
  readonly cluster: Cluster;
  readonly clock: BrokerClock;
  /** The partitions that this instance reads: only of these the time matters. */
  readonly assigned: () => readonly TopicPartition[];
  readonly onAnswered: () => void;
  /** Called again and again while the topic keeps no time of the broker's. */
  readonly onTimeless: () => void;
}

/** Asks the brokers for their time, by storing an empty record in a partition; again until there is an answer. */
export class ClockQuestions {
  readonly #options: ClockQuestionsOptions;
  /** The partitions that are asked about, or soon again. */
  readonly #open = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** The partitions whose topic keeps no time of the broker's. */
  readonly #timeless = new Set<string>();
  #closed = false;

  constructor(options: ClockQuestionsOptions) {
    this.#options = options;
  }

  /** Why there is no answer, if that will not change by itself. */
  get problem(): string | undefined {
    const isTimeless = this.#options.assigned().some((source) => this.#timeless.has(partitionKey(source)));
    return isTimeless ? this.#timelessProblem : undefined;
  }

  get #timelessProblem(): string {
    const { delays } = this.#options.cluster.names;
    return `the topic "${delays}" has message.timestamp.type=CreateTime and must have LogAppendTime; no retry comes back until it has`;
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
    const isTimeless = unanswered.some((source) => this.#timeless.has(partitionKey(source)));
    if (isTimeless && !this.#closed) this.#options.onTimeless();
    if (unanswered.length > 0) this.#askAgain(unanswered, isTimeless ? TIMELESS_DELAY_MS : RETRY_DELAY_MS);
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
      const key = partitionKey(result);
      if (time <= 0) {
        if (this.#timeless.size === 0)
          cluster.logger.error({ topic }, `Retries stand still: ${this.#timelessProblem}.`);
        this.#timeless.add(key);
        continue;
      }
      this.#timeless.delete(key);
      clock.answered(partition, offset, time, sentAt);
      this.#open.delete(key);
    }
  }

  #askAgain(unanswered: readonly TopicPartition[], delay: number): void {
    if (this.#closed) return;
    const keys = new Set(unanswered.map(partitionKey));
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      for (const key of keys) this.#open.delete(key);
      // Others may read these partitions by now.
      void this.ask(this.#options.assigned().filter((source) => keys.has(partitionKey(source))));
    }, delay);
    this.#timers.add(timer);
  }
}
