import type { Tail, TailListener } from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import { papaErrorOf } from "../client/errors.ts";
import type { KafkaClient } from "../client/kafka-client.ts";
import { sleep } from "../client/time-limit.ts";
import { Bindings } from "../declarations/bindings.ts";
import type { EventTopics } from "../declarations/event-topics.ts";
import { eventOf } from "../wire/event-record.ts";
import { KafkaError } from "../wire/kafka-error.ts";
import type { FetchResult } from "../wire/records.ts";
import { partitionKey, type TopicPartition } from "../wire/topic-partition.ts";

const FETCH_LIMITS = { wait: 500, bytes: 4 * 1_048_576, bytesPerPartition: 512 * 1_024 };
const LISTING_INTERVAL_MS = 1_000;
const ERROR_PAUSE_MS = 100;
/** Whoever is further behind than that skips what lies in between. */
const MAX_BEHIND = 20_000;

interface Position {
  readonly source: TopicPartition;
  readonly topicId: number | undefined;
  offset: number;
}

/**
 * Shows what is published, by reading the topics of events from their ends on: without a group, so that nothing is noted
 * anywhere of who reads.
 */
export class LiveTail implements Tail {
  readonly #cluster: Cluster;
  /** Fetches wait at the broker; nothing else must wait behind them. */
  readonly #client: KafkaClient;
  readonly #topics: EventTopics;
  readonly #listener: TailListener;
  readonly #bindings: Bindings;
  readonly #onOver: (tail: LiveTail) => void;
  readonly #positions = new Map<string, Position>();
  #running: Promise<void> = Promise.resolve();
  #listed = Number.NEGATIVE_INFINITY;
  #over = false;

  /** Resolves when everything is shown that is published from then on. @throws KafkaError */
  static async begin(
    cluster: Cluster,
    topics: EventTopics,
    patterns: readonly string[],
    listener: TailListener,
    onOver: (tail: LiveTail) => void,
  ): Promise<LiveTail> {
    const tail = new LiveTail(cluster, topics, patterns, listener, onOver);
    try {
      await tail.#list(true);
      await cluster.retried(() => tail.#client.metadata([cluster.names.registry]));
    } catch (error) {
      tail.#close();
      throw error;
    }
    tail.#running = tail.#run();
    return tail;
  }

  private constructor(
    cluster: Cluster,
    topics: EventTopics,
    patterns: readonly string[],
    listener: TailListener,
    onOver: (tail: LiveTail) => void,
  ) {
    this.#cluster = cluster;
    this.#topics = topics;
    this.#client = cluster.newClient();
    this.#listener = listener;
    this.#bindings = new Bindings(patterns.map((pattern) => [pattern, {}] as const));
    this.#onOver = onOver;
  }

  async stop(): Promise<void> {
    this.#close();
    await this.#running;
  }

  /** Ends it from this side. */
  end(error: Error): void {
    if (this.#over) return;
    this.#close();
    this.#listener.onEnd(error);
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#client.close();
    this.#onOver(this);
  }

  async #run(): Promise<void> {
    while (!this.#over) {
      try {
        if (performance.now() - this.#listed > LISTING_INTERVAL_MS) await this.#list(false);
        if (this.#positions.size === 0) await sleep(ERROR_PAUSE_MS);
        const nodes = await this.#cluster.byLeader([...this.#positions.values()].map(({ source }) => source));
        await Promise.all([...nodes].map(([node, sources]) => this.#fetch(node, sources)));
      } catch (error) {
        await this.#failed(error);
      }
    }
  }

  /** Looks for topics and partitions; those that appear later are shown from their beginning. */
  async #list(first: boolean): Promise<void> {
    const cluster = this.#cluster;
    const literal = this.#bindings.words.map((word) => cluster.names.events(word));
    const [{ topics }] = await Promise.all([
      cluster.retried(() => cluster.refresh("all")),
      literal.length > 0 ? cluster.retried(() => cluster.refresh(literal)) : undefined,
    ]);
    for (const topic of literal) cluster.assertNotRefused(topic);
    this.#listed = performance.now();
    const found = [...topics].flatMap(([topic, { id, partitions }]) => {
      const names = this.#topics.namesIn(topic);
      if (names === undefined || !this.#bindings.concern(names.held)) return [];
      return partitions.map(({ partition }) => ({ source: { topic, partition }, topicId: id }));
    });
    const fresh = found.filter(({ source, topicId }) => {
      const known = this.#positions.get(partitionKey(source));
      return known === undefined || known.topicId !== topicId;
    });
    const kept = new Set(found.map(({ source }) => partitionKey(source)));
    for (const key of this.#positions.keys()) if (!kept.has(key)) this.#positions.delete(key);
    const sources = fresh.map(({ source }) => source);
    const ends = first ? await cluster.offsets(sources, "latest") : sources.map((each) => ({ ...each, offset: 0 }));
    const offsets = new Map(ends.map((end) => [partitionKey(end), end.offset]));
    for (const { source, topicId } of fresh) {
      const key = partitionKey(source);
      this.#positions.set(key, { source, topicId, offset: offsets.get(key) ?? 0 });
    }
  }

  async #fetch(node: number, sources: readonly TopicPartition[]): Promise<void> {
    const positions = sources.flatMap((source) => this.#positions.get(partitionKey(source)) ?? []);
    const requested = positions.map(({ source, offset }) => ({ ...source, offset }));
    for (const result of await this.#client.fetch(node, requested, FETCH_LIMITS)) {
      const position = this.#positions.get(partitionKey(result));
      if (position === undefined || this.#over) continue;
      if (result.error === undefined) this.#show(position, result);
      else await this.#partitionFailed(position, result.error);
    }
  }

  #show(position: Position, { records, next, highWatermark }: FetchResult): void {
    const names = this.#topics.namesIn(position.source.topic);
    let dropped = 0;
    for (const record of records) {
      if (record.unreadable !== undefined) {
        dropped += 1;
        continue;
      }
      const name = names?.of(record);
      if (name === undefined || this.#over) continue;
      if (this.#bindings.accept(name, position.source, record.offset))
        this.#listener.onEvent(eventOf(record, name, position.source));
    }
    position.offset = next;
    if (highWatermark - next > MAX_BEHIND) {
      dropped += highWatermark - next;
      position.offset = highWatermark;
    }
    if (dropped > 0 && !this.#over) this.#listener.onDropped(dropped);
  }

  async #partitionFailed(position: Position, error: KafkaError): Promise<void> {
    if (error.type !== "OFFSET_OUT_OF_RANGE") throw error;
    const [earliest] = await this.#cluster.offsets([position.source], "earliest");
    if (earliest === undefined) return;
    const dropped = earliest.offset - position.offset;
    position.offset = earliest.offset;
    if (dropped > 0 && !this.#over) this.#listener.onDropped(dropped);
  }

  /** Goes on after what is transient, as long as any broker answers. */
  async #failed(error: unknown): Promise<void> {
    if (this.#over) return;
    const cluster = this.#cluster;
    if (!cluster.reachable || !(error instanceof KafkaError) || !error.retriable) {
      this.end(papaErrorOf(error, cluster.address));
      return;
    }
    for (const { source } of this.#positions.values()) cluster.invalidate(source.topic, error);
    await sleep(ERROR_PAUSE_MS);
    // The brokers may have new addresses.
    await this.#client.metadata([cluster.names.registry]).catch(() => {});
  }
}
