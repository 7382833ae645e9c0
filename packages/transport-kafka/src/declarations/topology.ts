import { PapaError } from "@papa-events/core";
import type { Cluster } from "../client/cluster.ts";
import { papaErrorOf, topologyConflict } from "../client/errors.ts";
import type { Configs, NewTopic, TopicError } from "../client/kafka-client.ts";
import { DELAY_PARTITIONS } from "../wire/delay-record.ts";
import { KafkaError } from "../wire/kafka-error.ts";
import { defaultReplicas } from "./default-replicas.ts";
import { endsOf } from "./ends.ts";

const MEBIBYTE = 1_048_576;
/** The largest payload plus 128 KiB for headers and an error's stack. */
const MAX_MESSAGE_BYTES = MEBIBYTE + 131_072;
/**
 * Retries and dead letters come from topics of other programs too, which may accept larger records (D5). A hosted cluster may
 * not allow the first of these; those of Confluent Cloud go to 20 or 8 MiB (https://docs.confluent.io/cloud/current/clusters/cluster-types.html).
 */
const LARGE_MESSAGE_BYTES = [64 * MEBIBYTE, 20 * MEBIBYTE, 8 * MEBIBYTE, MAX_MESSAGE_BYTES];
/** What a cluster says that does not allow it. */
const REFUSED_SETTINGS = new Set(["INVALID_CONFIG", "POLICY_VIOLATION"]);
const TIME = "message.timestamp.type";
const COMMON = {
  [TIME]: "LogAppendTime",
  "max.message.bytes": String(MAX_MESSAGE_BYTES),
};

const EVENTS = COMMON;
const RETAINED = { "cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1", ...COMMON } as const;
const COMPACTED = {
  "cleanup.policy": "compact",
  "segment.ms": String(86_400_000),
  "segment.bytes": String(64 * 1_048_576),
  "min.cleanable.dirty.ratio": "0.1",
  ...COMMON,
} as const;
/** A wrong value of these loses events. An operator is free to change the others. */
const REQUIRED = ["cleanup.policy", "retention.ms", "retention.bytes", TIME];

const EXISTS = "TOPIC_ALREADY_EXISTS";

/** An existing topic is somebody else's: it is never made, checked or changed. */
type TopicKind = "events" | "retained" | "compacted" | "existing";

/** A topic that the transport needs. */
export interface TopicSpec {
  readonly topic: string;
  readonly kind: TopicKind;
  readonly partitions: number;
}

/** Knows the topics of a namespace, creates missing ones and checks the settings of existing ones. */
export class Topology {
  readonly #cluster: Cluster;
  readonly #known = new Set<string>();
  readonly #pending = new Map<string, Promise<void>>();
  /** How many replicas new topics have. */
  #replicas: number | undefined;
  /** Called when this app has created topics of events. */
  onCreated: () => void = () => {};

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  get registry(): TopicSpec {
    return { topic: this.#cluster.names.registry, kind: "compacted", partitions: 1 };
  }

  get delays(): TopicSpec {
    return { topic: this.#cluster.names.delays, kind: "retained", partitions: DELAY_PARTITIONS };
  }

  /** It has several partitions, so that a forwarded event does not come back to the same instance forever (R6). */
  ready(useCase: string): TopicSpec {
    const { names, target } = this.#cluster;
    return { topic: names.ready(useCase), kind: "retained", partitions: target.partitions };
  }

  deadLetters(useCase: string): TopicSpec {
    return { topic: this.#cluster.names.deadLetters(useCase), kind: "compacted", partitions: 1 };
  }

  events(topic: string): TopicSpec {
    return { topic, kind: "events", partitions: this.#cluster.target.partitions };
  }

  /** A topic that somebody else owns, and that is mapped to event names. */
  existing(topic: string): TopicSpec {
    return { topic, kind: "existing", partitions: 0 };
  }

  /**
   * Resolves when all of them exist and have leaders.
   *
   * @throws PapaError `topology-conflict`, `access-refused`
   */
  async ensure(specs: readonly TopicSpec[]): Promise<void> {
    // Somebody may have deleted it since.
    const unknown = specs.filter(({ topic }) => !this.#known.has(topic) || this.#cluster.isMissing(topic));
    if (unknown.length === 0) return;
    const fresh = unknown.filter(({ topic }) => !this.#pending.has(topic));
    if (fresh.length > 0) {
      const prepared = this.#prepare(fresh).finally(() => {
        for (const { topic } of fresh) this.#pending.delete(topic);
      });
      prepared.catch(() => {});
      for (const { topic } of fresh) this.#pending.set(topic, prepared);
    }
    await Promise.all(unknown.map(({ topic }) => this.#pending.get(topic)));
  }

  /** Forgets a topic that has disappeared, so that it is looked up, and created, again. */
  forget(topic: string): void {
    this.#known.delete(topic);
  }

  async #prepare(specs: readonly TopicSpec[]): Promise<void> {
    const cluster = this.#cluster;
    const names = specs.map(({ topic }) => topic);
    try {
      const { topics } = await cluster.retried(() => cluster.refresh(names));
      const existing = specs.filter(({ topic }) => topics.has(topic));
      const missing = specs.filter(({ topic }) => !topics.has(topic));
      await this.#check(existing);
      const foreign = missing.find(({ kind }) => kind === "existing");
      if (foreign !== undefined) {
        cluster.assertNotRefused(foreign.topic);
        throw missingTopic(foreign.topic);
      }
      if (missing.length > 0) await this.#create(missing);
    } catch (error) {
      throw papaErrorOf(error, cluster.address);
    }
    for (const { topic } of specs) this.#known.add(topic);
  }

  async #create(missing: readonly TopicSpec[]): Promise<void> {
    const cluster = this.#cluster;
    if (!cluster.target.createTopics) {
      const list = missing.map(({ topic }) => `"${topic}"`).join(", ");
      throw topologyConflict(`topic ${list}`, "it does not exist, and createTopics is false");
    }
    this.#replicas ??= cluster.target.replicationFactor ?? (await defaultReplicas(cluster));
    const errors = await this.#createAsLarge(missing);
    const refused = errors.find(({ error }) => error.type !== EXISTS);
    if (refused !== undefined) throw papaErrorOf(refused.error, cluster.address, `topic "${refused.topic}"`);
    const names = missing.map(({ topic }) => topic);
    await cluster.retried(async () => {
      const topics = await cluster.topics(names);
      const pending = names.find((name) => !topics.get(name)?.partitions.every(({ leader }) => leader >= 0));
      if (pending !== undefined)
        throw new KafkaError("LEADER_NOT_AVAILABLE", `Topic "${pending}" is not ready yet.`, true);
    });
    // Those who lead them know of them last: which broker has told us of them may be another one.
    await endsOf(cluster, names);
    // Somebody else created these in the meantime.
    const others = new Set(errors.map(({ topic }) => topic));
    await this.#check(missing.filter(({ topic }) => others.has(topic)));
    if (missing.some(({ kind }) => kind === "events")) this.onCreated();
  }

  /** Creates topics that accept records as large as the cluster allows; resolves to what is wrong with those that it has not made. */
  async #createAsLarge(missing: readonly TopicSpec[]): Promise<readonly TopicError[]> {
    const { client } = this.#cluster;
    const refused = new Map<string, TopicError>();
    let left = missing;
    for (const size of LARGE_MESSAGE_BYTES) {
      const topics = left.map((each) => this.#newTopic(each, size));
      const errors = await this.#cluster.retried(() => client.createTopics(topics));
      for (const { topic } of left) refused.delete(topic);
      for (const each of errors) refused.set(each.topic, each);
      left = left.filter(({ topic }) => REFUSED_SETTINGS.has(refused.get(topic)?.error.type ?? ""));
      if (left.length === 0) break;
    }
    return [...refused.values()];
  }

  #newTopic({ topic, kind, partitions }: TopicSpec, maxMessageBytes: number): NewTopic {
    const { target } = this.#cluster;
    const replicationFactor = this.#replicas ?? 1;
    const insync = target.minInsyncReplicas ?? (replicationFactor >= 3 ? 2 : 1);
    const large = kind === "events" ? {} : { "max.message.bytes": String(maxMessageBytes) };
    const configs = { ...settings(kind), ...large, "min.insync.replicas": String(insync) };
    return { topic, partitions, replicationFactor, configs };
  }

  /** @throws PapaError `topology-conflict` */
  async #check(existing: readonly TopicSpec[]): Promise<void> {
    if (existing.length === 0) return;
    for (const { topic, difference, isTime } of await this.differences(existing))
      if (!isTime || !(await this.#keepTime(topic))) throw topologyConflict(`topic "${topic}"`, difference);
  }

  /** Has the delay topic keep the broker's time, if it does not and this account may change that. @throws KafkaError */
  async keepTimeOfDelays(): Promise<void> {
    for (const { topic, isTime } of await this.differences([this.delays])) if (isTime) await this.#keepTime(topic);
  }

  /** Sets which time a topic keeps, unless somebody else makes the topics; resolves to whether it could. */
  async #keepTime(topic: string): Promise<boolean> {
    const { client, logger, target } = this.#cluster;
    if (!target.createTopics) return false;
    try {
      await client.alterConfig(topic, TIME, COMMON[TIME]);
    } catch (error) {
      logger.debug({ err: error, topic }, "A setting of a topic could not be changed.");
      return false;
    }
    logger.warn({ topic }, `Somebody had set ${TIME} of this topic; it is ${COMMON[TIME]} again.`);
    return true;
  }

  /** Resolves to how existing topics differ from what they must be. @throws KafkaError */
  async differences(existing: readonly TopicSpec[]): Promise<readonly Difference[]> {
    const cluster = this.#cluster;
    const own = existing.filter(({ kind }) => kind !== "existing");
    const names = own.map(({ topic }) => topic);
    if (names.length === 0) return [];
    const found = await cluster.retried(() => cluster.client.describeConfigs("topic", names));
    const { topic: delays, partitions: needed } = this.delays;
    return own.flatMap(({ topic, kind }) => {
      const partitions = cluster.partitionsOf(topic);
      const missing =
        topic === delays && partitions < needed
          ? [{ ...conflict(`it has ${partitions} of the ${needed} partitions that are needed; add the others`), topic }]
          : [];
      const configs = found.get(topic);
      return configs === undefined
        ? missing
        : [...missing, ...wrongSettings(kind, configs).map((each) => ({ ...each, topic }))];
    });
  }
}

/** What is wrong with a setting. */
interface Conflict {
  readonly difference: string;
  /** Whether it is only which time the topic keeps. */
  readonly isTime: boolean;
}

/** What is wrong with a topic. */
interface Difference extends Conflict {
  readonly topic: string;
}

function conflict(difference: string, isTime = false): Conflict {
  return { difference, isTime };
}

function wrongSettings(kind: TopicKind, configs: Configs): readonly Conflict[] {
  // Another program may have created a topic of events. Its retention is up to its owner.
  if (kind === "events") {
    const compacted = configs["cleanup.policy"]?.includes("compact") === true;
    return compacted ? [conflict("cleanup.policy is compact, so that Kafka may drop events")] : [];
  }
  return Object.entries(settings(kind)).flatMap(([name, value]) => {
    const actual = configs[name];
    return actual !== undefined && actual !== value && REQUIRED.includes(name)
      ? [conflict(`${name} is ${actual} and must be ${value}`, name === TIME)]
      : [];
  });
}

function settings(kind: TopicKind): Readonly<Record<string, string>> {
  return { events: EVENTS, retained: RETAINED, compacted: COMPACTED, existing: {} }[kind];
}

/** A topic of somebody else that is not there; its owner may make it yet. */
export function missingTopic(topic: string): PapaError {
  const object = `topic "${topic}"`;
  const difference =
    "it does not exist, and is not made from here: the option `topics` says that it is somebody else's";
  return new PapaError(
    "topology-conflict",
    `${object} is not as required: ${difference}.`,
    { object, difference },
    { retryable: true },
  );
}
