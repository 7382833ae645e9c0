import type { Cluster } from "../client/cluster.ts";
import type { Commit, KafkaClient, Membership, RefusedCommit, SyncResult } from "../client/kafka-client.ts";
import { KafkaError } from "../wire/kafka-error.ts";
import type { TopicPartition } from "../wire/topic-partition.ts";
import { assign, encodeClaims } from "./assignor.ts";

/** How long a rebalance waits for its members. A live one rejoins within two heartbeats. */
const REBALANCE_TIMEOUT_MS = 60_000;

/** How often a member that waits for its assignment checks that it is still a member. */
const MEMBERSHIP_CHECK_MS = 1_000;

const METADATA_LIMIT_MS = 5_000;

/** After these errors the group no longer knows the member, or not in this generation. */
const EXPELLED = new Set(["UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION", "FENCED_INSTANCE_ID", "MEMBER_ID_REQUIRED"]);
/** After these errors another broker may coordinate the group. */
const MOVED = new Set(["NOT_COORDINATOR_FOR_GROUP", "GROUP_COORDINATOR_NOT_AVAILABLE", "CONNECTION", "TIMEOUT"]);

/** Performs the steps of the group protocol for one member of one consumer group. */
export class GroupMember {
  readonly group: string;
  readonly #cluster: Cluster;
  readonly #client: KafkaClient;
  #coordinator: number | undefined;
  #memberId = "";
  #generation = -1;
  /** How many partitions of each topic this member has shared out; none where another one leads the group. */
  #sharedOut: ReadonlyMap<string, number> = new Map();
  /** When the coordinator last confirmed this membership, by the monotonic clock. */
  lastSeen = Number.NEGATIVE_INFINITY;

  constructor(cluster: Cluster, client: KafkaClient, group: string) {
    this.#cluster = cluster;
    this.#client = client;
    this.group = group;
  }

  /** Joins the group, and assigns the partitions if this member leads it. Resolves to its own assignment. */
  async join(
    topics: readonly string[],
    claims: {
      readonly owned: readonly TopicPartition[];
      readonly busy: readonly TopicPartition[];
      readonly declaration?: string | undefined;
      readonly limited?: boolean | undefined;
    },
  ): Promise<SyncResult> {
    const started = performance.now();
    return this.#atCoordinator(async (node) => {
      const result = await this.#client.join(node, {
        group: this.group,
        memberId: this.#memberId,
        sessionTimeout: this.#cluster.target.sessionTimeout,
        rebalanceTimeout: REBALANCE_TIMEOUT_MS,
        topics,
        userData: encodeClaims(this.#generation, claims.owned, claims.busy, claims.declaration, claims.limited),
      });
      this.#memberId = result.memberId;
      this.#generation = result.generation;
      this.#sharedOut = new Map();
      const assignment = await this.#sync(node, await this.#assign(result.members));
      this.lastSeen = performance.now();
      this.#cluster.logger.debug(
        { group: this.group, generation: result.generation, took: this.lastSeen - started },
        "Joined a consumer group.",
      );
      return assignment;
    });
  }

  /**
   * Whether a topic has more partitions than this member has shared out as the leader. A member cannot tell that by itself:
   * what it knew when it joined may be newer, or older, than what the leader knew.
   */
  get hasGrown(): boolean {
    for (const [topic, count] of this.#sharedOut) if (this.#cluster.partitionsOf(topic) > count) return true;
    return false;
  }

  heartbeat(): Promise<void> {
    return this.#atCoordinator(async (node) => {
      const sent = performance.now();
      await this.#client.heartbeat(node, this.#membership);
      this.lastSeen = sent;
    });
  }

  commit(offsets: readonly Commit[]): Promise<readonly RefusedCommit[]> {
    return this.#atCoordinator((node) => this.#client.commit(node, this.#membership, offsets));
  }

  committed(partitions: readonly TopicPartition[]): Promise<readonly Commit[]> {
    return this.#atCoordinator((node) => this.#client.committed(node, this.group, partitions));
  }

  async leave(): Promise<void> {
    if (this.#memberId === "") return;
    await this.#atCoordinator((node) => this.#client.leave(node, this.group, this.#memberId));
  }

  get #membership(): Membership {
    return { group: this.group, memberId: this.#memberId, generation: this.#generation };
  }

  /**
   * Waits for the leader's assignments. If the member is removed meanwhile, the broker neither responds nor reads on from
   * this connection. That is why another connection checks the membership.
   */
  async #sync(node: number, assignments: Parameters<KafkaClient["sync"]>[2]): Promise<SyncResult> {
    const membership = this.#membership;
    let waiting = true;
    const check = setInterval(() => {
      this.#cluster.client.heartbeat(node, membership).catch((error: unknown) => {
        if (waiting && error instanceof KafkaError && EXPELLED.has(error.type)) this.#client.interruptRequests();
      });
    }, MEMBERSHIP_CHECK_MS);
    try {
      return await this.#client.sync(node, membership, assignments);
    } finally {
      waiting = false;
      clearInterval(check);
    }
  }

  async #assign(members: Parameters<typeof assign>[0]): Promise<ReturnType<typeof assign>> {
    if (members.length === 0) return [];
    const topics = [...new Set(members.flatMap((member) => member.topics))];
    const { topics: found } = await this.#cluster.retried(() => this.#cluster.refresh(topics), METADATA_LIMIT_MS);
    this.#sharedOut = new Map(topics.map((topic) => [topic, found.get(topic)?.partitions.length ?? 0]));
    return assign(members, this.#sharedOut);
  }

  async #atCoordinator<T>(action: (node: number) => Promise<T>): Promise<T> {
    try {
      this.#coordinator ??= await this.#client.coordinator(this.group);
      return await action(this.#coordinator);
    } catch (error) {
      if (error instanceof KafkaError) {
        if (EXPELLED.has(error.type)) {
          this.#memberId = "";
          // What it had may belong to somebody else by now, so that its claims no longer count.
          this.#generation = -1;
        }
        if (MOVED.has(error.type)) this.#coordinator = undefined;
      }
      throw error;
    }
  }
}

/** Tells whether an error means that the group must be joined again. */
export function requiresRejoin(error: unknown): boolean {
  return error instanceof KafkaError && (error.type === "REBALANCE_IN_PROGRESS" || EXPELLED.has(error.type));
}
