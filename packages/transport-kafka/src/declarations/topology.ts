import type { Cluster } from "../client/cluster.ts";
import { papaErrorOf, topologyConflict } from "../client/errors.ts";
import { KafkaError, type NewTopic } from "../client/kafka-client.ts";

/** Room for the largest payload with its headers and an error's stack. */
const MAX_MESSAGE = String(1_048_576 + 131_072);
const BROKERS_TIME = {
  "message.timestamp.type": "LogAppendTime",
  "max.message.bytes": MAX_MESSAGE,
  // The client can read gzip only; other programs may compress by other means.
  "compression.type": "uncompressed",
};

/** What has to be so of a topic that exists already, for the contract to hold. */
const EVENTS = { ...BROKERS_TIME } as const;
const KEPT = { "cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1", ...BROKERS_TIME } as const;
const COMPACTED = {
  "cleanup.policy": "compact",
  "segment.ms": String(86_400_000),
  "segment.bytes": String(64 * 1_048_576),
  "min.cleanable.dirty.ratio": "0.1",
  ...BROKERS_TIME,
} as const;
/** Settings whose values decide about losing events; others are an operator's to change. */
const DECISIVE = ["cleanup.policy", "retention.ms", "retention.bytes", "message.timestamp.type"];

const EXISTS = "TOPIC_ALREADY_EXISTS";

type TopicKind = "events" | "kept" | "compacted";

/** A topic that has to exist. */
export interface Wanted {
  readonly topic: string;
  readonly kind: TopicKind;
  readonly partitions: number;
}

/** Makes the topics that are needed, and sees that those that exist are fit for it. */
export class Topics {
  readonly #cluster: Cluster;
  readonly #known = new Set<string>();
  readonly #making = new Map<string, Promise<void>>();
  /** Called when this app has made topics of events. */
  onMade: () => void = () => {};

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  events(topic: string): Wanted {
    return { topic, kind: "events", partitions: this.#cluster.target.partitions };
  }

  /**
   * Resolves when all of them exist and have leaders.
   *
   * @throws PapaError `topology-conflict`, `access-refused`
   */
  async ensure(wanted: readonly Wanted[]): Promise<void> {
    const unknown = wanted.filter(({ topic }) => !this.#known.has(topic));
    if (unknown.length === 0) return;
    const fresh = unknown.filter(({ topic }) => !this.#making.has(topic));
    if (fresh.length > 0) {
      const made = this.#make(fresh).finally(() => {
        for (const { topic } of fresh) this.#making.delete(topic);
      });
      made.catch(() => {});
      for (const { topic } of fresh) this.#making.set(topic, made);
    }
    await Promise.all(unknown.map(({ topic }) => this.#making.get(topic)));
  }

  /** A topic has gone: it is looked for, and made, anew. */
  forget(topic: string): void {
    this.#known.delete(topic);
  }

  async #make(wanted: readonly Wanted[]): Promise<void> {
    const cluster = this.#cluster;
    const names = wanted.map(({ topic }) => topic);
    try {
      const { topics } = await cluster.retried(() => cluster.refresh(names));
      const existing = wanted.filter(({ topic }) => topics.has(topic));
      const missing = wanted.filter(({ topic }) => !topics.has(topic));
      await this.#check(existing);
      if (missing.length > 0) await this.#create(missing);
    } catch (error) {
      throw papaErrorOf(error, cluster.address);
    }
    for (const { topic } of wanted) this.#known.add(topic);
  }

  async #create(missing: readonly Wanted[]): Promise<void> {
    const cluster = this.#cluster;
    if (!cluster.target.createTopics) {
      const list = missing.map(({ topic }) => `"${topic}"`).join(", ");
      throw topologyConflict(`topic ${list}`, "it does not exist, and createTopics is false");
    }
    const errors = await cluster.retried(() =>
      cluster.client.createTopics(missing.map((each) => this.#newTopic(each))),
    );
    const first = errors.find(({ error }) => error.type !== EXISTS);
    if (first !== undefined) throw papaErrorOf(first.error, cluster.address, `topic "${first.topic}"`);
    const names = missing.map(({ topic }) => topic);
    await cluster.retried(async () => {
      const topics = await cluster.topics(names);
      const late = names.find((name) => !topics.get(name)?.partitions.every(({ leader }) => leader >= 0));
      if (late !== undefined) throw new KafkaError("LEADER_NOT_AVAILABLE", `Topic "${late}" is not ready yet.`, true);
    });
    // Made meanwhile, by an app like this or by anybody.
    const others = new Set(errors.map(({ topic }) => topic));
    await this.#check(missing.filter(({ topic }) => others.has(topic)));
    if (missing.some(({ kind }) => kind === "events")) this.onMade();
  }

  #newTopic({ topic, kind, partitions }: Wanted): NewTopic {
    const { target, nodes } = this.#cluster;
    const replicationFactor = target.replicationFactor ?? Math.max(1, Math.min(3, nodes));
    const insync = target.minInsyncReplicas ?? (replicationFactor >= 3 ? 2 : 1);
    const configs = { ...settings(kind), "min.insync.replicas": String(insync) };
    return { topic, partitions, replicationFactor, configs };
  }

  /** @throws PapaError `topology-conflict` */
  async #check(existing: readonly Wanted[]): Promise<void> {
    if (existing.length === 0) return;
    const cluster = this.#cluster;
    const names = existing.map(({ topic }) => topic);
    const found = await cluster.retried(() => cluster.client.describeConfigs("topic", names));
    for (const { topic, kind } of existing) {
      const configs = found.get(topic);
      if (configs === undefined) continue;
      // Another program may have made a topic of events; its retention is its owner's matter.
      if (kind === "events") {
        if (configs["cleanup.policy"]?.includes("compact"))
          throw topologyConflict(`topic "${topic}"`, "cleanup.policy is compact, so that Kafka may drop events");
        continue;
      }
      for (const [name, value] of Object.entries(settings(kind))) {
        const is = configs[name];
        if (is !== undefined && is !== value && DECISIVE.includes(name))
          throw topologyConflict(`topic "${topic}"`, `${name} is ${is} and has to be ${value}`);
      }
    }
  }
}

function settings(kind: TopicKind): Readonly<Record<string, string>> {
  return { events: EVENTS, kept: KEPT, compacted: COMPACTED }[kind];
}
