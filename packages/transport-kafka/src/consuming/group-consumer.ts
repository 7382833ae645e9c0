import { Backoff } from "../client/backoff.ts";
import type { Cluster } from "../client/cluster.ts";
import type { KafkaClient } from "../client/kafka-client.ts";
import { settlesWithin, sleep } from "../client/time-limit.ts";
import { KafkaError } from "../wire/kafka-error.ts";
import type { TopicPartition } from "../wire/topic-partition.ts";
import { AssignedPartitions } from "./assigned-partitions.ts";
import { decodeExcess } from "./assignor.ts";
import type { DoneRecords } from "./done-records.ts";
import { Fetcher, type FetcherOptions } from "./fetcher.ts";
import { GroupMember, requiresRejoin } from "./group-member.ts";
import { Handover } from "./handover.ts";
import { HeartbeatPace } from "./heartbeat-pace.ts";
import { JoinedTopics } from "./joined-topics.ts";
import { OffsetCommits } from "./offset-commits.ts";
import type { Entry, PartitionLog } from "./partition-log.ts";
import { Pause } from "./pause.ts";
import { RunningHandlers } from "./running-handlers.ts";
import { Turns } from "./turns.ts";

const COMMITTED_LIMIT_MS = 10_000;
const LAST_COMMIT_LIMIT_MS = 2_000;
const ERROR_PAUSE_MS = 100;
const RELEASE_PAUSE_MS = 500;
const MAX_BACKOFF_MS = 1_000;
/** Rebalances take less. */
const PROBLEM_AFTER_MS = 5_000;

export interface GroupConsumerOptions {
  readonly cluster: Cluster;
  readonly group: string;
  /** Names the patterns that this instance declares; each such set gets a part of every topic. */
  readonly declaration?: string | undefined;
  /** Whether this instance can do only a part of the work, so that it gets none while another can do all of it. */
  readonly limited?: (() => boolean) | undefined;
  /** Resolves to the topics to read; called before each join. */
  readonly topics: () => Promise<readonly string[]>;
  /** Where a partition without a commit begins. */
  readonly startOf: (source: TopicPartition) => number;
  readonly filter: FetcherOptions["filter"];
  readonly maxBuffered: FetcherOptions["maxBuffered"];
  /** Whether one more entry of so many bytes may be delivered now. @param overdue how many are done while their commit is late */
  readonly hasRoom: (log: PartitionLog, bytes: number, overdue: number) => boolean;
  /** Takes an entry; returns at once. */
  readonly deliver: (entry: Entry) => void;
  /** How many offsets are announced at least before their records are handed out, so that these are known after a death (T6). */
  readonly announces?: (() => number) | undefined;
  /** Whether entries are usually settled soon, so that it pays to wait for them before rejoining. */
  readonly drains: boolean;
  /** Whether other members are never kept waiting, though this one has nothing to do. */
  readonly attentive?: boolean | undefined;
  /** Keeps what commits have no room for, where entries are done in any order. */
  readonly doneRecords?: DoneRecords | undefined;
  /** Awaited after deliveries have stopped, before the commit that precedes rejoining, but not longer than the group waits. */
  readonly beforeRejoin?: (() => Promise<void>) | undefined;
  /** Called after each join with the partitions of this instance. */
  readonly onAssigned?: ((assigned: readonly TopicPartition[]) => void) | undefined;
}

/**
 * Reads the partitions that a consumer group assigns to this instance. Fetching, delivering and heartbeats are independent
 * of each other: a slow handler stops none of them.
 */
export class GroupConsumer {
  readonly #options: GroupConsumerOptions;
  readonly #cluster: Cluster;
  readonly #client: KafkaClient;
  readonly #member: GroupMember;
  readonly #pace: HeartbeatPace;
  readonly #partitions: AssignedPartitions;
  readonly #commits: OffsetCommits;
  readonly #fetcher: Fetcher;
  readonly #handover = new Handover({
    onDrained: () => this.rejoin(),
    onResumed: () => this.deliver(),
    hasRoom: (log) => this.#options.hasRoom(log, 0, this.#commits.overdue),
  });
  readonly #runningHandlers = new RunningHandlers();
  readonly #turns = new Turns();
  readonly #joinedTopics: JoinedTopics;
  #deliverySoon = false;
  /** `false` between two generations, when nothing is delivered. */
  #joined = false;
  readonly #pause = new Pause(() => this.#rejoinNext());
  #rejoin = false;
  #closing = false;
  #wake = () => {};
  /** Since when it is not a member, or may not be, by the monotonic clock. */
  #outSince = performance.now();
  #lastError: unknown;
  #running: Promise<void> | undefined;

  constructor(options: GroupConsumerOptions) {
    this.#options = options;
    this.#cluster = options.cluster;
    this.#joinedTopics = new JoinedTopics(options.cluster);
    this.#client = options.cluster.newClient(() => this.#wake());
    this.#member = new GroupMember(this.#cluster, this.#client, options.group);
    this.#pace = new HeartbeatPace(this.#cluster.target.sessionTimeout / 6, options.attentive === true);
    this.#partitions = new AssignedPartitions(options.startOf, (topic) => this.#cluster.idOf(topic), options.announces);
    this.#commits = new OffsetCommits({
      member: this.#member,
      logs: () => this.#partitions.list,
      accepted: () => this.#joined,
      onStored: () => this.deliver(),
      onFailed: (error) => this.#commitFailed(error),
    });
    this.#fetcher = new Fetcher({
      cluster: options.cluster,
      client: this.#client,
      filter: options.filter,
      maxBuffered: options.maxBuffered,
      onRecords: () => this.deliver(),
      onReplaced: (source, offset) => {
        this.#partitions.replace(source, offset);
        this.#fetcher.read(this.#partitions.list);
        this.#commits.now();
      },
    });
  }

  /** Resolves when the group has been joined for the first time. @throws KafkaError that is permanent */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#running = this.#run(resolve, reject);
    });
  }

  /** Whether this instance owns its partitions now: not while it rejoins the group. */
  get joined(): boolean {
    return this.#joined && !this.#closing;
  }

  /** What keeps it from consuming, if anything has done so for some time (L6). */
  get problem(): string | undefined {
    const out = this.#joined ? 0 : performance.now() - this.#outSince;
    if (out > PROBLEM_AFTER_MS) return `the consumer group "${this.#options.group}" cannot be joined${this.#reason}`;
    if (this.#commits.waiting > PROBLEM_AFTER_MS) return `what is done cannot be committed${this.#reason}`;
    return this.#commits.problem ?? this.#fetcher.problem;
  }

  get #reason(): string {
    return this.#lastError instanceof Error ? `: ${this.#lastError.message}` : "";
  }

  /** The partitions that this instance reads. */
  get assigned(): readonly TopicPartition[] {
    return this.#partitions.list.map(({ source }) => source);
  }

  /** Whether it has not been heard from for so long that its partitions may belong to somebody else. */
  get expired(): boolean {
    return performance.now() - this.#member.lastSeen > this.#cluster.target.sessionTimeout;
  }

  /** Rejoins the group if these topics, or their partitions, differ from those that are read now. */
  check(topics: readonly string[]): void {
    if (this.#joinedTopics.differ(topics) || this.#member.hasGrown) this.rejoin();
  }

  /** Joins the group anew: partitions of which something was dropped are then read again. */
  rejoin(): void {
    if (this.#joined) this.#rejoinNext();
  }

  /** As {@link rejoin}, also after a join that is under way. */
  #rejoinNext(): void {
    this.#rejoin = true;
    this.#wake();
  }

  /** Delivers more in the next turn of the event loop. */
  deliverSoon(): void {
    if (this.#deliverySoon) return;
    this.#deliverySoon = true;
    setImmediate(() => {
      this.#deliverySoon = false;
      this.deliver();
    });
  }

  /** Delivers as much as there is room for, from the partitions in turn. */
  deliver(): void {
    if (!this.#joined || this.#pause.isOn || this.#closing) return;
    if (this.expired) return;
    const { hasRoom, deliver } = this.#options;
    const { overdue } = this.#commits;
    const filled = this.#partitions.list.filter((log) => log.hasRecords);
    this.#turns.deliver(filled, (log, bytes) => hasRoom(log, bytes, overdue), deliver);
    if (filled.some((log) => log.wantsAnnouncement)) this.#commits.now();
    else this.#commits.schedule();
    this.#fetcher.fetchMore();
  }

  /** Marks an entry as done. */
  settle(entry: Entry): void {
    entry.log.settle(entry);
    this.#commits.settled();
    this.#noteSettled();
  }

  /** Leaves an entry open whose settlement was not stored: whoever owns the partition then delivers it again. */
  drop(entry: Entry): void {
    entry.log.drop(entry);
    this.#noteSettled();
  }

  /** Takes back an entry that was not started. After a pause, with a heartbeat, it is delivered again, to this instance if it goes on. */
  release(entry: Entry): void {
    entry.log.release(entry, performance.now() + RELEASE_PAUSE_MS);
    this.#noteSettled();
  }

  /** Delivers nothing more for now. What was delivered can still be settled; other members soon get the partitions. */
  pauseDelivering(): void {
    if (this.#closing || this.#pause.isOn) return;
    this.#pause.begin();
    this.#fetcher.pause();
  }

  resumeDelivering(): void {
    if (this.#closing || !this.#pause.isOn) return;
    const isKnown = this.#pause.end();
    this.#fetcher.resume();
    this.deliverSoon();
    if (isKnown) this.#rejoinNext();
  }

  /** Commits, leaves the group and closes the connections, within `limit` milliseconds. */
  async close(limit: number): Promise<void> {
    this.#closing = true;
    this.#pause.stop();
    this.#commits.stop();
    this.#handover.stop();
    this.#wake();
    await settlesWithin(this.#running ?? Promise.resolve(), limit);
    this.#fetcher.stop();
    this.#client.close();
    this.#commits.close();
    this.#partitions.lose();
  }

  async #run(onJoined: () => void, onRefused: (error: unknown) => void): Promise<void> {
    const backoff = new Backoff(undefined, MAX_BACKOFF_MS);
    let first = true;
    while (!this.#closing) {
      try {
        await this.#join();
        backoff.reset();
        if (first) onJoined();
        first = false;
        await this.#stay();
      } catch (error) {
        this.#lastError = error;
        const transient = requiresRejoin(error) || (error instanceof KafkaError && error.retriable);
        if (first && !transient) {
          onRefused(error);
          return;
        }
        if (this.#closing) break;
        if (!requiresRejoin(error))
          this.#cluster.logger.debug({ err: error, group: this.#options.group }, "Rejoining a consumer group.");
        await backoff.pause();
      }
    }
    if (first) {
      onRefused(new KafkaError("CLOSED", "The connection was closed.", false));
      return;
    }
    await this.#leave();
  }

  /** Drains, commits, joins, and continues where the partitions stand. */
  async #join(): Promise<void> {
    const topics = await this.#options.topics();
    // This client's own connections need the brokers' addresses.
    if (this.#joinedTopics.empty) await this.#client.metadata([this.#cluster.names.registry]);
    const wasMember = this.#joined;
    if (wasMember) this.#outSince = performance.now();
    this.#joined = false;
    this.#rejoin = false;
    if (wasMember) {
      // The group takes a member of which it hears nothing for dead, and all others wait for it until then.
      await settlesWithin(this.#finish(), this.#cluster.target.sessionTimeout / 2);
      if (this.#options.drains) await this.#runningHandlers.wait(this.#partitions.list);
      await this.#commitLast(({ unsettled }) => unsettled === 0);
    }
    const leavesWork = this.#pause.tell();
    const { assignment, userData } = await this.#member.join(topics, {
      owned: this.assigned,
      busy: this.#runningHandlers.busy.map(({ source }) => source),
      declaration: this.#options.declaration,
      limited: leavesWork || this.#options.limited?.() === true,
    });
    const assigned = Object.entries(assignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    );
    const committed = await this.#cluster.retried(() => this.#member.committed(assigned), COMMITTED_LIMIT_MS);
    // What is known of the topics may be older than the topics.
    await this.#cluster.retried(() => this.#cluster.refresh(topics), COMMITTED_LIMIT_MS);
    const done = await this.#options.doneRecords?.load(committed);
    for (const topic of this.#partitions.assign(assigned, committed, done))
      this.#cluster.logger.warn({ topic }, "A topic was deleted and made anew; it is read from its beginning.");
    this.#joinedTopics.note(topics);
    this.#joined = true;
    this.#lastError = undefined;
    this.#handover.begin(this.#partitions.logsOf(decodeExcess(userData)));
    this.#fetcher.read(this.#partitions.list);
    this.#options.onAssigned?.(assigned);
    // Partitions that nobody has committed yet begin where this says, and what is handed out is announced.
    this.#commits.now();
    this.deliver();
  }

  /** Waits for what is under way, and stores what commits have no room for. */
  async #finish(): Promise<void> {
    await this.#options.beforeRejoin?.();
    await this.#options.doneRecords?.store(this.#partitions.list);
  }

  /** Sends heartbeats until the group must be joined again. */
  async #stay(): Promise<void> {
    this.#pace.joined();
    while (!this.#closing && !this.#rejoin) {
      await this.#wait(this.#pace.next());
      if (this.#closing || this.#rejoin) return;
      try {
        await this.#member.heartbeat();
        this.deliver();
      } catch (error) {
        if (requiresRejoin(error)) return;
        if (!(error instanceof KafkaError) || !error.retriable) throw error;
        await sleep(ERROR_PAUSE_MS);
      }
    }
  }

  #wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #leave(): Promise<void> {
    await this.#options.doneRecords?.store(this.#partitions.list);
    await this.#commitLast(() => true);
    await this.#member.leave().catch(() => {});
  }

  /** Commits for the last time in this generation. Never rejects. */
  async #commitLast(ends: (log: PartitionLog) => boolean): Promise<void> {
    try {
      // Another broker may coordinate the group since the last commit.
      await this.#cluster.retried(() => this.#commits.end(ends), LAST_COMMIT_LIMIT_MS);
    } catch (error) {
      this.#cluster.logger.debug({ err: error }, "The last commit failed; what it covers may be handled again.");
    }
  }

  #noteSettled(): void {
    this.#pace.settled();
    this.#runningHandlers.settled();
    this.#handover.check();
  }

  #commitFailed(error: unknown): void {
    if (this.#closing) return;
    this.#lastError = error;
    if (requiresRejoin(error)) this.rejoin();
    this.#commits.schedule();
  }
}
