import { isPapaError } from "@papa-events/core";
import type { ConnectOptions, Logger } from "@papa-events/core/transport";
import { KafkaError } from "../wire/kafka-error.ts";
import { Names } from "../wire/names.ts";
import { partitionKey, type TopicPartition } from "../wire/topic-partition.ts";
import { Backoff } from "./backoff.ts";
import type { Engine } from "./engine.ts";
import { papaErrorOf, unsupported } from "./errors.ts";
import type { ClusterMetadata, Commit, KafkaClient, OffsetResult, TopicMetadata } from "./kafka-client.ts";
import { KafkajsClient } from "./kafkajs-client.ts";
import { loadEngine } from "./load-engine.ts";
import type { Target } from "./options.ts";
import { addressOf } from "./uri.ts";

/** Fetch version 10 came with Kafka 2.1, JoinGroup 4 with 2.3; newer brokers still support both. */
const REQUIRED_VERSIONS = { Fetch: [1, 10], JoinGroup: [11, 4] } as const;

/** After these errors the leaders that are known may be wrong. */
const STALE_METADATA = new Set([
  "NOT_LEADER_FOR_PARTITION",
  "LEADER_NOT_AVAILABLE",
  "UNKNOWN_TOPIC_OR_PARTITION",
  "REPLICA_NOT_AVAILABLE",
  "FENCED_LEADER_EPOCH",
  "UNKNOWN_LEADER_EPOCH",
  "BROKER_NOT_AVAILABLE",
  "KAFKA_STORAGE_ERROR",
  "CONNECTION",
  "TIMEOUT",
]);

const RETRY_LIMIT_MS = 20_000;
const INITIAL_BACKOFF_MS = 20;
const MAX_BACKOFF_MS = 1_000;

/** Knows the cluster for one app: which broker leads which partition, and whether it can be reached. */
export class Cluster {
  readonly target: Target;
  readonly names: Names;
  readonly address: string;
  readonly logger: Logger;
  readonly client: KafkaClient;
  /** The number of brokers. */
  nodes = 0;
  readonly #options: ConnectOptions;
  readonly #engine: Engine;
  readonly #topics = new Map<string, TopicMetadata>();
  /** Topics that did not exist when they were last looked up. */
  readonly #missing = new Set<string>();
  /** Topics of which the account was not allowed to know anything when they were last looked up. */
  readonly #refused = new Set<string>();
  /** What has been reported and is not over, by its subject. */
  readonly #problems = new Map<string, string>();
  #up = true;
  #probing = false;
  #closed = false;

  /** @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker`, `invalid-option` */
  static async open(target: Target, options: ConnectOptions): Promise<Cluster> {
    const cluster = new Cluster(target, options, await loadEngine(target.engine));
    let answered = false;
    try {
      const versions = await cluster.client.versions();
      for (const [api, [key, required]] of Object.entries(REQUIRED_VERSIONS)) {
        const max = versions[key]?.maxVersion ?? -1;
        if (max < required) throw unsupported(`the broker is older than Kafka 2.3 (${api} only up to version ${max})`);
      }
      answered = true;
      await cluster.refresh([]);
      answered = false;
      // The loss of this connection shows that the cluster is gone.
      await cluster.client.reach();
    } catch (error) {
      cluster.close();
      const loginMissing = answered && target.sasl === undefined && error instanceof KafkaError;
      throw papaErrorOf(loginMissing ? withHint(error) : error, cluster.address);
    }
    return cluster;
  }

  private constructor(target: Target, options: ConnectOptions, engine: Engine) {
    this.target = target;
    this.names = new Names(target.prefix);
    this.address = addressOf(target);
    this.logger = options.logger;
    this.#options = options;
    this.#engine = engine;
    this.client = this.newClient(() => void this.#probe());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether any broker answers, as far as is known. */
  get reachable(): boolean {
    return this.#up;
  }

  /** Reports what keeps events from getting on while the cluster can be reached, or that it is over. */
  report(subject: string, problem: string | undefined): void {
    if (this.#closed || this.#problems.get(subject) === problem) return;
    if (problem === undefined) this.#problems.delete(subject);
    else this.#problems.set(subject, problem);
    this.#options.onProblem(subject, problem);
  }

  /** Makes a client with connections of its own, because a broker answers the requests of one connection in order. */
  newClient(onLost: () => void = () => {}): KafkaClient {
    const { brokers, sasl, tls, compression, requestTimeout, connectTimeout, route } = this.target;
    const own = { engine: this.#engine, clientId: this.#options.appName };
    return new KafkajsClient(
      { ...own, brokers, sasl, tls, compression, requestTimeout, connectTimeout, route },
      onLost,
    );
  }

  /** Resolves to the topics' metadata, from the broker where it is not known yet. Topics that do not exist are absent. */
  async topics(names: readonly string[]): Promise<ReadonlyMap<string, TopicMetadata>> {
    const unknown = names.filter((name) => !hasLeaders(this.#topics.get(name)));
    if (unknown.length > 0) await this.refresh(unknown);
    return new Map(
      names.flatMap((name) => {
        const known = this.#topics.get(name);
        return known === undefined ? [] : [[name, known] as const];
      }),
    );
  }

  /** The number of a topic's partitions when it was last looked up. */
  partitionsOf(topic: string): number {
    return this.#topics.get(topic)?.partitions.length ?? 0;
  }

  /** Whether a topic did not exist when it was last looked up. */
  isMissing(topic: string): boolean {
    return this.#missing.has(topic);
  }

  /** @throws KafkaError where the account was not allowed to know anything of a topic when it was last looked up */
  assertNotRefused(topic: string): void {
    if (!this.#refused.has(topic)) return;
    throw new KafkaError("TOPIC_AUTHORIZATION_FAILED", `Not authorized to access topic ${topic}`, false);
  }

  /** Tells a topic from an earlier one of the same name, as it was when it was last looked up. */
  idOf(topic: string): number | undefined {
    return this.#topics.get(topic)?.id;
  }

  /** Looks topics up again. */
  async refresh(names: readonly string[] | "all"): Promise<ClusterMetadata> {
    // An empty list would mean all topics.
    const requested = names === "all" || names.length > 0 ? names : [this.names.registry];
    const metadata = await this.client.metadata(requested);
    this.nodes = metadata.nodes.length;
    if (requested !== "all") {
      for (const name of requested) {
        this.#topics.delete(name);
        this.#missing.add(name);
        this.#refused.delete(name);
      }
      for (const name of metadata.refused) this.#refused.add(name);
    }
    for (const [name, topic] of metadata.topics) {
      this.#topics.set(name, topic);
      this.#missing.delete(name);
    }
    return metadata;
  }

  /** Forgets a topic's metadata if `error` means that it may be out of date. */
  invalidate(topic: string, error: unknown): void {
    if (error instanceof KafkaError && STALE_METADATA.has(error.type)) this.#topics.delete(topic);
  }

  /** The broker that leads a partition. @throws KafkaError while there is none */
  async leader({ topic, partition }: TopicPartition): Promise<number> {
    const metadata = (await this.topics([topic])).get(topic);
    const leader = metadata?.partitions.find((each) => each.partition === partition)?.leader ?? -1;
    if (leader < 0) throw new KafkaError("LEADER_NOT_AVAILABLE", `${topic} [${partition}] has no leader now.`, true);
    return leader;
  }

  /** Groups partitions by the broker that leads them. @throws KafkaError */
  async byLeader<P extends TopicPartition>(partitions: readonly P[]): Promise<Map<number, P[]>> {
    await this.topics([...new Set(partitions.map(({ topic }) => topic))]);
    const nodes = new Map<number, P[]>();
    for (const each of partitions) {
      const node = await this.leader(each);
      const list = nodes.get(node);
      if (list === undefined) nodes.set(node, [each]);
      else list.push(each);
    }
    return nodes;
  }

  /** Resolves to where partitions begin or end; retries until all are known. @throws KafkaError that is permanent */
  offsets(
    partitions: readonly TopicPartition[],
    which: "earliest" | "latest" | "stable",
  ): Promise<readonly OffsetResult[]> {
    return this.retried(() => this.offsetsOnce(partitions, which));
  }

  /** Resolves to where partitions begin or end, without another try. @throws KafkaError */
  async offsetsOnce(
    partitions: readonly TopicPartition[],
    which: "earliest" | "latest" | "stable",
  ): Promise<readonly OffsetResult[]> {
    if (partitions.length === 0) return [];
    const byNode = [...(await this.byLeader(partitions))];
    const responses = await Promise.all(
      byNode.map(([node, list]) => this.#invalidating(list, () => this.client.listOffsets(node, list, which))),
    );
    const all = responses.flat();
    for (const { topic, error } of all) {
      if (error === undefined) continue;
      this.invalidate(topic, error);
      throw error;
    }
    return all;
  }

  /** Resolves to what a group has committed, by `partitionKey`; retries until it is known. @throws KafkaError */
  async commits(group: string, partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, Commit>> {
    const committed = await this.retried(async () => {
      const node = await this.client.coordinator(group);
      return this.client.committed(node, group, partitions);
    });
    return new Map(committed.filter(({ offset }) => offset >= 0).map((commit) => [partitionKey(commit), commit]));
  }

  /**
   * Repeats an action while its errors are transient, but no longer than a caller may be kept waiting, and not while no broker
   * answers: whoever asks what is wrong need not wait.
   */
  async retried<T>(action: () => Promise<T>, limit = RETRY_LIMIT_MS): Promise<T> {
    const backoff = new Backoff(INITIAL_BACKOFF_MS, MAX_BACKOFF_MS);
    const until = performance.now() + limit;
    for (;;) {
      try {
        return await action();
      } catch (error) {
        const transient = error instanceof KafkaError ? error.retriable : isPapaError(error) && error.retryable;
        if (!transient || this.#closed || !this.#up || performance.now() > until) throw error;
        await backoff.pause();
      }
    }
  }

  close(): void {
    this.#closed = true;
    this.client.close();
  }

  async #invalidating<T>(partitions: readonly TopicPartition[], action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      for (const { topic } of partitions) this.invalidate(topic, error);
      throw error;
    }
  }

  /** After a lost connection: finds out whether the cluster can be reached, and reports when that changes. */
  async #probe(): Promise<void> {
    if (this.#probing || this.#closed) return;
    this.#probing = true;
    const backoff = new Backoff();
    while (!this.#closed) {
      try {
        await this.client.metadata([this.names.registry]);
        break;
      } catch (error) {
        if (this.#closed) break;
        if (this.#up) {
          this.#up = false;
          this.#options.onStatus({ connected: false, error: papaErrorOf(error, this.address) });
        }
        await backoff.pause();
      }
    }
    this.#probing = false;
    if (this.#closed || this.#up) return;
    this.#up = true;
    this.#options.onStatus({ connected: true });
  }
}

function hasLeaders(topic: TopicMetadata | undefined): boolean {
  return topic !== undefined && topic.partitions.length > 0 && topic.partitions.every(({ leader }) => leader >= 0);
}

/** A broker tells anyone its versions. If it requires a login, it then closes the connection without an error. */
function withHint(error: KafkaError): KafkaError {
  if (error.type !== "CONNECTION") return error;
  const message = `${error.message.replace(/\.$/, "")} after a first response: the broker may require a login (SASL)`;
  return new KafkaError(error.type, message, error.retriable, error);
}
