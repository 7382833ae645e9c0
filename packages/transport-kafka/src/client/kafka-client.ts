import type { Headers } from "@papa-events/core/transport";

/**
 * What the transport asks of a Kafka client: the protocol's own requests, each sent once to one broker. Retrying,
 * reconnecting and deciding are the transport's. Another client takes kafkajs's place by implementing this.
 *
 * All members reject with a {@link KafkaError}; after one that says the connection went, the next call connects anew.
 */
export interface KafkaClient extends ClusterRequests, RecordRequests, GroupRequests {
  /** Ends a fetch that waits, so that the next one begins at once. */
  interruptFetches(): void;
  /** Ends the connections for everything but fetches; what waits for an answer rejects. */
  interruptRequests(): void;
  /** Ends all connections; what is under way rejects. */
  close(): void;
}

/** What there is on the cluster. */
interface ClusterRequests {
  /** The versions of the protocol that a broker speaks, by the number of the request. */
  versions(): Promise<ProtocolVersions>;
  /** Asks any broker that answers. Topics that do not exist are absent. `"all"` lists every topic of the cluster. */
  metadata(topics: readonly string[] | "all"): Promise<ClusterMetadata>;
  /** The answer lists the topics that were not made, those that exist among them. */
  createTopics(topics: readonly NewTopic[]): Promise<readonly TopicError[]>;
  /** Settings of topics, or of a broker, by name. */
  describeConfigs(kind: "topic" | "broker", names: readonly string[]): Promise<ReadonlyMap<string, Configs>>;
}

/** What is in partitions; a request goes to the broker that leads them. */
interface RecordRequests {
  /** Stores record batches with acknowledgements from all in-sync replicas. The answer tells of each partition. */
  produce(node: number, batches: readonly RecordBatch[]): Promise<readonly ProduceResult[]>;
  /** Waits at the broker until there are records or `wait` milliseconds are over. On a connection of its own. */
  fetch(node: number, partitions: readonly FetchPartition[], limits: FetchLimits): Promise<readonly FetchResult[]>;
  /** Offsets that partitions begin or end at. */
  listOffsets(
    node: number,
    partitions: readonly Place[],
    which: "earliest" | "latest",
  ): Promise<readonly OffsetResult[]>;
  /** Destroys the records below these offsets. */
  deleteRecords(node: number, offsets: readonly PlaceAt[]): Promise<void>;
}

/** Consumer groups; a request goes to the group's coordinator. */
interface GroupRequests {
  /** The broker that coordinates a group. */
  coordinator(group: string): Promise<number>;
  join(node: number, request: JoinRequest): Promise<JoinAnswer>;
  sync(node: number, member: Membership, assignments: readonly MemberAssignment[]): Promise<Assignment>;
  heartbeat(node: number, member: Membership): Promise<void>;
  leave(node: number, group: string, memberId: string): Promise<void>;
  commit(node: number, member: Membership, offsets: readonly Commit[]): Promise<void>;
  committed(node: number, group: string, partitions: readonly Place[]): Promise<readonly Commit[]>;
}

export type ProtocolVersions = Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>>;

/** A partition. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
}

export interface PlaceAt extends Place {
  readonly offset: number;
}

export interface ClusterMetadata {
  readonly nodes: readonly number[];
  readonly topics: ReadonlyMap<string, TopicMetadata>;
}

export interface TopicMetadata {
  /** Ordered by number. `leader` is -1 while there is none. */
  readonly partitions: readonly { readonly partition: number; readonly leader: number }[];
}

export interface KafkaRecord {
  readonly key: string | null;
  readonly value: Uint8Array | null;
  readonly headers?: Headers | Readonly<Record<string, unknown>>;
}

export interface RecordBatch extends Place {
  readonly records: readonly KafkaRecord[];
}

export interface ProduceResult extends Place {
  readonly error?: KafkaError | undefined;
  readonly offset: number;
  /** The broker's clock when it stored the batch; -1 where the topic keeps the producer's time. */
  readonly time: number;
}

export type FetchPartition = PlaceAt;

export interface FetchLimits {
  readonly wait: number;
  readonly bytes: number;
  readonly bytesPerPartition: number;
}

export interface FetchResult extends Place {
  readonly error?: KafkaError | undefined;
  readonly highWatermark: number;
  readonly records: readonly FetchedRecord[];
  /** Where to go on; the same as was asked for when nothing came. */
  readonly next: number;
}

export interface FetchedRecord {
  readonly offset: number;
  /** When the broker stored it, by its own clock. */
  readonly time: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface OffsetResult extends PlaceAt {
  readonly error?: KafkaError | undefined;
}

export interface NewTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Configs;
}

export interface TopicError {
  readonly topic: string;
  readonly error: KafkaError;
}

export type Configs = Readonly<Record<string, string>>;

export interface JoinRequest {
  readonly group: string;
  readonly memberId: string;
  readonly sessionTimeout: number;
  readonly rebalanceTimeout: number;
  readonly topics: readonly string[];
  /** What the member tells the leader. */
  readonly userData: string;
}

export interface JoinAnswer {
  readonly memberId: string;
  readonly generation: number;
  /** All members, for the leader; empty for the others. */
  readonly members: readonly GroupMember[];
}

export interface GroupMember {
  readonly memberId: string;
  readonly topics: readonly string[];
  readonly userData: string;
}

export interface Membership {
  readonly group: string;
  readonly memberId: string;
  readonly generation: number;
}

/** Partitions by topic. */
export type Assignment = Readonly<Record<string, readonly number[]>>;

export interface MemberAssignment {
  readonly memberId: string;
  readonly assignment: Assignment;
}

export interface Commit extends PlaceAt {
  readonly metadata: string;
}

/** What went wrong, in Kafka's own names of errors or `"CONNECTION"`, `"TIMEOUT"`, `"AUTHENTICATION"`. */
export class KafkaError extends Error {
  readonly type: string;
  /** Whether the same request may succeed later. */
  readonly retriable: boolean;

  constructor(type: string, message: string, retriable: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "KafkaError";
    this.type = type;
    this.retriable = retriable;
  }
}
