import type { KafkaError } from "../wire/kafka-error.ts";
import type { Operation } from "../wire/operations.ts";
import type { FetchResult, RecordBatch } from "../wire/records.ts";
import type { PartitionOffset, TopicPartition } from "../wire/topic-partition.ts";

/**
 * What the transport needs from a Kafka client: the protocol's own requests, each sent once to one broker. The transport
 * itself retries, reconnects and decides. Which library carries them is the {@link import("./engine.ts").Engine | engine}'s choice.
 *
 * All members reject with a {@link KafkaError}. After one of type `"CONNECTION"` the next call connects again.
 */
export interface KafkaClient extends ClusterRequests, RecordRequests, GroupRequests, OperatorRequests {
  /** Aborts fetches that wait at a broker, so that the next ones begin at once. */
  interruptFetches(): void;
  /** Closes the connections for everything but fetches; requests in flight reject. */
  interruptRequests(): void;
  /** Closes all connections; requests in flight reject. */
  close(): void;
}

/** Requests about the cluster. */
interface ClusterRequests {
  /** The protocol versions that a broker supports, by the number of the request. */
  versions(): Promise<ProtocolVersions>;
  /** Opens a connection to one of the brokers at the addresses that they advertise; `metadata` tells these. */
  reach(): Promise<void>;
  /** Asks any broker that answers. Topics that do not exist are absent. `"all"` lists every topic of the cluster. */
  metadata(topics: readonly string[] | "all"): Promise<ClusterMetadata>;
  /** Resolves to the topics that were not created, existing ones among them. */
  createTopics(topics: readonly NewTopic[]): Promise<readonly TopicError[]>;
  /** Settings of topics or of a broker, by name. */
  describeConfigs(kind: "topic" | "broker", names: readonly string[]): Promise<ReadonlyMap<string, Configs>>;
  /** Sets one setting of a topic and leaves the others. */
  alterConfig(topic: string, name: string, value: string): Promise<void>;
}

/** Requests about the contents of partitions; each goes to the broker that leads them. */
interface RecordRequests {
  /** Stores record batches with acknowledgements from all in-sync replicas. Resolves to a result for each partition. */
  produce(node: number, batches: readonly RecordBatch[]): Promise<readonly ProduceResult[]>;
  /** Waits at the broker for records, for up to `wait` milliseconds. Uses a connection of its own. */
  fetch(node: number, partitions: readonly PartitionOffset[], limits: FetchLimits): Promise<readonly FetchResult[]>;
  /** The offsets at which partitions begin or end, or where the first open transaction stands, if that comes before the end. */
  listOffsets(
    node: number,
    partitions: readonly TopicPartition[],
    which: "earliest" | "latest" | "stable",
  ): Promise<readonly OffsetResult[]>;
  /** Deletes the records below these offsets. */
  deleteRecords(node: number, offsets: readonly PartitionOffset[]): Promise<void>;
}

/** Requests about consumer groups; each goes to the group's coordinator. */
interface GroupRequests {
  /** The broker that coordinates a group. */
  coordinator(group: string): Promise<number>;
  join(node: number, request: JoinRequest): Promise<JoinResult>;
  sync(node: number, member: Membership, assignments: readonly MemberAssignment[]): Promise<SyncResult>;
  heartbeat(node: number, member: Membership): Promise<void>;
  leave(node: number, group: string, memberId: string): Promise<void>;
  /** Resolves to those that are refused for what they are; the others are stored. Rejects where the group takes none. */
  commit(node: number, member: Membership, offsets: readonly Commit[]): Promise<readonly RefusedCommit[]>;
  committed(node: number, group: string, partitions: readonly TopicPartition[]): Promise<readonly Commit[]>;
}

/** Requests that only operators make. */
interface OperatorRequests {
  /** Resolves to the topics that were not deleted, missing ones among them. */
  deleteTopics(topics: readonly string[]): Promise<readonly TopicError[]>;
  /** Forgets a group that has no members. */
  deleteGroup(node: number, group: string): Promise<void>;
  describeGroup(node: number, group: string): Promise<GroupDescription>;
  /** What this account may do with topics, by name; those are absent of which it may not even know, and all where the broker does not tell. */
  rights(topics: readonly string[]): Promise<ReadonlyMap<string, ReadonlySet<Operation>>>;
}

export interface GroupDescription {
  /** `"Dead"` where there is no such group. */
  readonly state: string;
  readonly members: number;
  /** What this account may do with it; absent where the broker does not tell. */
  readonly operations?: ReadonlySet<Operation> | undefined;
}

export type ProtocolVersions = Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>>;

export interface ClusterMetadata {
  readonly nodes: readonly number[];
  readonly topics: ReadonlyMap<string, TopicMetadata>;
  /** Those of the topics asked for of which this account may know nothing. */
  readonly refused: ReadonlySet<string>;
}

export interface TopicMetadata {
  /** Differs from that of an earlier topic of the same name; absent where the broker tells none. */
  readonly id?: number | undefined;
  /** Ordered by number. `leader` is -1 while there is none. */
  readonly partitions: readonly PartitionMetadata[];
}

export interface PartitionMetadata {
  readonly partition: number;
  readonly leader: number;
  /** How many copies there are, and how many of them are in sync. */
  readonly replicas: number;
  readonly inSync: number;
}

export interface ProduceResult extends TopicPartition {
  readonly error?: KafkaError | undefined;
  readonly offset: number;
  /** The broker's clock when it stored the batch; -1 where the topic keeps the producer's time. */
  readonly time: number;
}

export interface FetchLimits {
  readonly wait: number;
  readonly bytes: number;
  readonly bytesPerPartition: number;
}

export interface OffsetResult extends PartitionOffset {
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
  /** Data that the group's leader reads when it assigns partitions. */
  readonly userData: string;
}

export interface JoinResult {
  readonly memberId: string;
  readonly generation: number;
  /** All members if this one is the leader; else empty. */
  readonly members: readonly GroupMember[];
}

export interface GroupMember {
  readonly memberId: string;
  readonly topics: readonly string[];
  readonly userData: string;
}

/** What the group's leader has assigned to a member. */
export interface SyncResult {
  readonly assignment: Assignment;
  /** What else the leader tells it. */
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
  /** Data that the member reads beside it. */
  readonly userData: string;
}

export interface Commit extends PartitionOffset {
  readonly metadata: string;
}

export interface RefusedCommit extends TopicPartition {
  readonly error: KafkaError;
}
