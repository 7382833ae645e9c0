import type { ConnectOptions, Logger } from "@papa-events/core/transport";
import { Names } from "../wire/names.ts";
import { papaErrorOf, unsupported } from "./errors.ts";
import {
  type ClusterMetadata,
  type KafkaClient,
  KafkaError,
  type OffsetResult,
  type Place,
  type TopicMetadata,
} from "./kafka-client.ts";
import { KafkajsClient } from "./kafkajs-client.ts";
import { addressOf, type Target } from "./options.ts";
import { Backoff } from "./time-limit.ts";

/** Fetch version 10 came with Kafka 2.1, JoinGroup 5 with 2.3; both are what later brokers still speak. */
const NEEDED = { Fetch: [1, 10], JoinGroup: [11, 4] } as const;

/** Errors after which leaders have to be asked for again. */
const STALE = new Set([
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

/** The cluster as one app sees it: what leads what, and whether it can be reached. */
export class Cluster {
  readonly target: Target;
  readonly names: Names;
  readonly address: string;
  readonly logger: Logger;
  readonly client: KafkaClient;
  /** How many brokers there are. */
  nodes = 0;
  readonly #options: ConnectOptions;
  readonly #topics = new Map<string, TopicMetadata>();
  #up = true;
  #probing = false;
  #closed = false;

  /** @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker` */
  static async open(target: Target, options: ConnectOptions): Promise<Cluster> {
    const cluster = new Cluster(target, options);
    let answered = false;
    try {
      const versions = await cluster.client.versions();
      for (const [api, [key, least]] of Object.entries(NEEDED)) {
        const most = versions[key]?.maxVersion ?? -1;
        if (most < least) throw unsupported(`the broker is older than Kafka 2.3 (${api} only up to version ${most})`);
      }
      answered = true;
      await cluster.refresh([]);
      // By now the brokers' own addresses are known, and a connection to one of them shows when the cluster goes away.
      await cluster.refresh([]);
    } catch (error) {
      cluster.close();
      const loginMissing = answered && target.sasl === undefined && error instanceof KafkaError;
      throw papaErrorOf(loginMissing ? withHint(error) : error, cluster.address);
    }
    return cluster;
  }

  private constructor(target: Target, options: ConnectOptions) {
    this.target = target;
    this.names = new Names(target.prefix);
    this.address = addressOf(target);
    this.logger = options.logger;
    this.#options = options;
    this.client = this.newClient(() => void this.#probe());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** A client with connections of its own: the broker answers the requests of a connection one after the other. */
  newClient(onLost: () => void = () => {}): KafkaClient {
    const { brokers, sasl, tls, requestTimeout, connectTimeout, route } = this.target;
    const clientId = this.#options.appName;
    return new KafkajsClient({ brokers, clientId, sasl, tls, requestTimeout, connectTimeout, route }, onLost);
  }

  /** What is known of topics, asked for where it is not; those that do not exist are absent. */
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

  /** How many partitions a topic had when it was last asked for. */
  partitionsOf(topic: string): number {
    return this.#topics.get(topic)?.partitions.length ?? 0;
  }

  /** Asks for topics anew. */
  async refresh(names: readonly string[] | "all"): Promise<ClusterMetadata> {
    // An empty list would mean all topics.
    const asked = names === "all" || names.length > 0 ? names : [this.names.registry];
    const metadata = await this.client.metadata(asked);
    this.nodes = metadata.nodes.length;
    if (asked !== "all") for (const name of asked) this.#topics.delete(name);
    for (const [name, topic] of metadata.topics) this.#topics.set(name, topic);
    return metadata;
  }

  /** To be told of an error at a topic: what is known of it may be out of date. */
  doubt(topic: string, error: unknown): void {
    if (error instanceof KafkaError && STALE.has(error.type)) this.#topics.delete(topic);
  }

  /** The broker that leads a partition. @throws KafkaError while there is none */
  async leader({ topic, partition }: Place): Promise<number> {
    const metadata = (await this.topics([topic])).get(topic);
    const leader = metadata?.partitions.find((each) => each.partition === partition)?.leader ?? -1;
    if (leader < 0) throw new KafkaError("LEADER_NOT_AVAILABLE", `${topic} [${partition}] has no leader now.`, true);
    return leader;
  }

  /** Places by the broker that leads them. @throws KafkaError */
  async byLeader<P extends Place>(places: readonly P[]): Promise<Map<number, P[]>> {
    await this.topics([...new Set(places.map(({ topic }) => topic))]);
    const nodes = new Map<number, P[]>();
    for (const place of places) {
      const node = await this.leader(place);
      const list = nodes.get(node);
      if (list === undefined) nodes.set(node, [place]);
      else list.push(place);
    }
    return nodes;
  }

  /** Where partitions begin or end; tried until each is known. @throws KafkaError that will not go away */
  offsets(places: readonly Place[], which: "earliest" | "latest"): Promise<readonly OffsetResult[]> {
    if (places.length === 0) return Promise.resolve([]);
    return this.retried(async () => {
      const byNode = [...(await this.byLeader(places))];
      const answers = await Promise.all(
        byNode.map(([node, list]) => this.#doubting(list, () => this.client.listOffsets(node, list, which))),
      );
      const all = answers.flat();
      for (const { topic, error } of all) {
        if (error === undefined) continue;
        this.doubt(topic, error);
        throw error;
      }
      return all;
    });
  }

  /** Tries again while errors are passing ones, for as long as a caller may be kept waiting. */
  async retried<T>(action: () => Promise<T>, limit = 20_000): Promise<T> {
    const backoff = new Backoff(20, 1_000);
    const until = performance.now() + limit;
    for (;;) {
      try {
        return await action();
      } catch (error) {
        const passing = error instanceof KafkaError && error.retriable;
        if (!passing || this.#closed || performance.now() > until) throw error;
        await backoff.pause();
      }
    }
  }

  close(): void {
    this.#closed = true;
    this.client.close();
  }

  async #doubting<T>(places: readonly Place[], action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      for (const { topic } of places) this.doubt(topic, error);
      throw error;
    }
  }

  /** A connection was lost: finds out whether the cluster can be reached, and tells when that changes. */
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

/** Brokers tell their versions to everybody and close on who goes on without the login they want, without a word. */
function withHint(error: KafkaError): KafkaError {
  if (error.type !== "CONNECTION") return error;
  const message = `${error.message.replace(/\.$/, "")} after a first answer: the broker may want a login (SASL)`;
  return new KafkaError(error.type, message, error.retriable, error);
}
