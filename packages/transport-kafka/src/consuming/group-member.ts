import type { Cluster } from "../client/cluster.ts";
import {
  type Assignment,
  type Commit,
  type KafkaClient,
  KafkaError,
  type Membership,
  type Place,
} from "../client/kafka-client.ts";
import { assign, encodeClaims } from "./assignor.ts";

/** How long a rebalance waits for members; one that is alive answers within two heartbeats. */
const REBALANCE_TIMEOUT = 60_000;

/** How often a member that waits for its partitions asks whether it is one still. */
const WAITING_CHECK = 1_000;

/** After these the group does not know the member any more, or not in this generation. */
const EXPELLED = new Set(["UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION", "FENCED_INSTANCE_ID", "MEMBER_ID_REQUIRED"]);
const MOVED = new Set(["NOT_COORDINATOR_FOR_GROUP", "GROUP_COORDINATOR_NOT_AVAILABLE", "CONNECTION", "TIMEOUT"]);

/** One membership of one consumer group: the protocol's steps, each once. */
export class GroupMember {
  readonly group: string;
  readonly #cluster: Cluster;
  readonly #client: KafkaClient;
  #coordinator: number | undefined;
  #memberId = "";
  #generation = -1;
  /** When the coordinator last knew of this member, by the monotonic clock. */
  seen = Number.NEGATIVE_INFINITY;

  constructor(cluster: Cluster, client: KafkaClient, group: string) {
    this.#cluster = cluster;
    this.#client = client;
    this.group = group;
  }

  /** Joins, and deals the partitions out where this member is told to. Resolves to what it got. */
  async join(
    topics: readonly string[],
    claims: { readonly owned: readonly Place[]; readonly busy: readonly Place[] },
  ): Promise<Assignment> {
    const started = performance.now();
    return this.#telling(async (node) => {
      const answer = await this.#client.join(node, {
        group: this.group,
        memberId: this.#memberId,
        sessionTimeout: this.#cluster.target.sessionTimeout,
        rebalanceTimeout: REBALANCE_TIMEOUT,
        topics,
        userData: encodeClaims(this.#generation, claims.owned, claims.busy),
      });
      this.#memberId = answer.memberId;
      this.#generation = answer.generation;
      const assignment = await this.#synced(node, await this.#deal(answer.members));
      this.seen = performance.now();
      this.#cluster.logger.debug(
        { group: this.group, generation: answer.generation, took: this.seen - started },
        "Joined a consumer group.",
      );
      return assignment;
    });
  }

  heartbeat(): Promise<void> {
    return this.#telling(async (node) => {
      const asked = performance.now();
      await this.#client.heartbeat(node, this.#membership);
      this.seen = asked;
    });
  }

  commit(offsets: readonly Commit[]): Promise<void> {
    return this.#telling((node) => this.#client.commit(node, this.#membership, offsets));
  }

  committed(places: readonly Place[]): Promise<readonly Commit[]> {
    return this.#telling((node) => this.#client.committed(node, this.group, places));
  }

  async leave(): Promise<void> {
    if (this.#memberId === "") return;
    await this.#telling((node) => this.#client.leave(node, this.group, this.#memberId));
  }

  get #membership(): Membership {
    return { group: this.group, memberId: this.#memberId, generation: this.#generation };
  }

  /**
   * Waits for what the leader deals out. A broker does not answer a member that is removed meanwhile, and reads nothing more
   * from its connection: another one is asked.
   */
  async #synced(node: number, dealt: Parameters<KafkaClient["sync"]>[2]): Promise<Assignment> {
    const membership = this.#membership;
    let waiting = true;
    const check = setInterval(() => {
      this.#cluster.client.heartbeat(node, membership).catch((error: unknown) => {
        if (waiting && error instanceof KafkaError && EXPELLED.has(error.type)) this.#client.interruptRequests();
      });
    }, WAITING_CHECK);
    try {
      return await this.#client.sync(node, membership, dealt);
    } finally {
      waiting = false;
      clearInterval(check);
    }
  }

  async #deal(members: Parameters<typeof assign>[0]): Promise<ReturnType<typeof assign>> {
    if (members.length === 0) return [];
    const topics = [...new Set(members.flatMap((member) => member.topics))];
    const { topics: found } = await this.#cluster.retried(() => this.#cluster.refresh(topics), 5_000);
    const counts = new Map(topics.map((topic) => [topic, found.get(topic)?.partitions.length ?? 0]));
    return assign(members, counts);
  }

  async #telling<T>(action: (node: number) => Promise<T>): Promise<T> {
    try {
      if (this.#coordinator === undefined) {
        // Connections of this member's own have to know the brokers' addresses first.
        this.#coordinator = await this.#client.coordinator(this.group);
      }
      return await action(this.#coordinator);
    } catch (error) {
      if (error instanceof KafkaError) {
        if (EXPELLED.has(error.type)) {
          this.#memberId = "";
          // What it had may be somebody else's by now, and its claims count no more.
          this.#generation = -1;
        }
        if (MOVED.has(error.type)) this.#coordinator = undefined;
      }
      throw error;
    }
  }
}

/** Whether an error means that the group has to be joined anew. */
export function asksToRejoin(error: unknown): boolean {
  return error instanceof KafkaError && (error.type === "REBALANCE_IN_PROGRESS" || EXPELLED.has(error.type));
}
