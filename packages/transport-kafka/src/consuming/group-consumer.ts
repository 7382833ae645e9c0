import type { Cluster } from "../client/cluster.ts";
import { type Assignment, type KafkaClient, KafkaError, type Place } from "../client/kafka-client.ts";
import { Backoff, inTime, sleep } from "../client/time-limit.ts";
import { Fetcher, type FetcherOptions } from "./fetcher.ts";
import { asksToRejoin, GroupMember } from "./group-member.ts";
import { type Entry, keyOf, PartitionLog } from "./partition-log.ts";

/** How long running handlers are waited for before the group is joined anew. */
const DRAIN = 250;
const COMMIT_INTERVAL = 100;
const ERROR_PAUSE = 100;

export interface GroupConsumerOptions {
  readonly cluster: Cluster;
  readonly group: string;
  /** The topics to be read; asked before each joining. */
  readonly topics: () => Promise<readonly string[]>;
  /** Where a partition begins that nothing was committed of. */
  readonly startOf: (place: Place) => number;
  readonly wanted: FetcherOptions["wanted"];
  /** Whether one more of this partition may be handed over now. */
  readonly room: (log: PartitionLog) => boolean;
  /** Takes an entry over; returns at once. */
  readonly hand: (entry: Entry) => void;
  /** Whether entries are settled soon, so that it is worth waiting for them before joining anew. */
  readonly drains: boolean;
  /** Waited for when nothing is handed over any more, before what is done is committed and the group joined anew. */
  readonly beforeJoining?: (() => Promise<void>) | undefined;
  /** Called with what it got after each joining. */
  readonly onAssigned?: ((places: readonly Place[]) => void) | undefined;
}

/**
 * Reads the partitions that a consumer group gives this instance. Fetching, handing over and heartbeats know nothing of
 * each other: a slow handler stops none of them. Commits hold the low-water mark of what is done, and what is done above it.
 */
export class GroupConsumer {
  readonly #options: GroupConsumerOptions;
  readonly #cluster: Cluster;
  readonly #client: KafkaClient;
  readonly #member: GroupMember;
  readonly #logs = new Map<string, PartitionLog>();
  /** Partitions that went to others while handlers of this instance still ran. */
  readonly #lost = new Map<string, PartitionLog>();
  readonly #fetcher: Fetcher;
  #joinedTopics = "";
  #order: PartitionLog[] = [];
  #pumping = false;
  #turn = 0;
  /** Between the end of one generation and the beginning of the next nothing is handed over. */
  #joined = false;
  #handing = true;
  #rejoin = false;
  #closing = false;
  #dirty = false;
  #committing: Promise<void> | undefined;
  #commitTimer: NodeJS.Timeout | undefined;
  #wake = () => {};
  #onSettled = () => {};
  #running: Promise<void> | undefined;

  constructor(options: GroupConsumerOptions) {
    this.#options = options;
    this.#cluster = options.cluster;
    this.#client = options.cluster.newClient(() => this.#wake());
    this.#member = new GroupMember(this.#cluster, this.#client, options.group);
    this.#fetcher = new Fetcher({
      cluster: options.cluster,
      client: this.#client,
      wanted: options.wanted,
      onRecords: () => this.pump(),
      onReplaced: (log, by) => {
        this.#logs.set(keyOf(log.place), by);
        this.#order = [...this.#logs.values()];
        this.#fetcher.read(this.#order);
      },
    });
  }

  /** Resolves when the group has been joined for the first time. @throws KafkaError that will not go away */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#running = this.#run(resolve, reject);
    });
  }

  /** Whether its partitions are its own now: not while the group is joined anew. */
  get joined(): boolean {
    return this.#joined && !this.#closing;
  }

  /** How many entries are out. */
  get unsettled(): number {
    let sum = 0;
    for (const log of this.#logs.values()) sum += log.unsettled;
    return sum;
  }

  /** Joins anew if these topics, or their partitions, are not those that are read now. */
  check(topics: readonly string[]): void {
    if (!this.#joined || this.#keyOfTopics(topics) === this.#joinedTopics) return;
    this.#rejoin = true;
    this.#wake();
  }

  /** Has more handed over in the next turn of the loop. */
  wantMore(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      this.pump();
    });
  }

  /** Hands over as much as there is room for. */
  pump(): void {
    if (!this.#joined || !this.#handing || this.#closing) return;
    // The coordinator has not heard of this member for so long that its partitions may be somebody else's.
    if (performance.now() - this.#member.seen > this.#cluster.target.sessionTimeout) return;
    const { room, hand } = this.#options;
    for (let idle = 0; idle < this.#order.length; ) {
      const log = this.#order[this.#turn++ % this.#order.length];
      const entry = log?.hasRecords && room(log) ? log.next() : undefined;
      if (entry === undefined) {
        idle += 1;
        continue;
      }
      idle = 0;
      hand(entry);
    }
    this.#touch();
    this.#fetcher.more();
  }

  /** What became of an entry was not stored: it is handed out again, by whoever has its partition then. */
  drop(entry: Entry): void {
    entry.log.drop(entry);
    this.#onSettled();
  }

  /** An entry is done. */
  settle(entry: Entry): void {
    entry.log.settle(entry);
    this.#touch();
    this.#onSettled();
  }

  /** An entry was not started. */
  giveBack(entry: Entry): void {
    entry.log.giveBack(entry);
    this.#onSettled();
    this.wantMore();
  }

  /** Hands over nothing more; what is out can still be settled. */
  stopHanding(): void {
    this.#handing = false;
  }

  /** Commits, leaves the group, ends the connections; within `limit` milliseconds. */
  async close(limit: number): Promise<void> {
    this.#closing = true;
    this.#handing = false;
    this.#wake();
    await inTime(this.#running ?? Promise.resolve(), limit);
    this.#fetcher.stop();
    this.#client.close();
    clearTimeout(this.#commitTimer);
    for (const log of this.#logs.values()) log.lost = true;
  }

  async #run(onJoined: () => void, onRefused: (error: unknown) => void): Promise<void> {
    const backoff = new Backoff(50, 1_000);
    let first = true;
    while (!this.#closing) {
      try {
        await this.#join();
        backoff.reset();
        if (first) onJoined();
        first = false;
        await this.#stay();
      } catch (error) {
        const passing = asksToRejoin(error) || (error instanceof KafkaError && error.retriable);
        if (first && !passing) {
          onRefused(error);
          return;
        }
        if (this.#closing) break;
        if (!asksToRejoin(error))
          this.#cluster.logger.debug({ error, group: this.#options.group }, "A consumer group is joined again.");
        await backoff.pause();
      }
    }
    if (first) {
      onRefused(new KafkaError("CLOSED", "The connection was closed.", false));
      return;
    }
    await this.#leave();
  }

  /** Drains, commits, joins, and goes on where the partitions stand. */
  async #join(): Promise<void> {
    const topics = await this.#options.topics();
    // Connections of its own have to know the brokers' addresses first.
    if (this.#joinedTopics === "") await this.#client.metadata([this.#cluster.names.registry]);
    const wasMember = this.#joined;
    this.#joined = false;
    this.#rejoin = false;
    if (wasMember) {
      await this.#options.beforeJoining?.();
      if (this.#options.drains) await this.#drained(DRAIN);
      await this.#commitNow().catch(() => {});
    }
    const owned = [...this.#logs.values()];
    const busy = this.#options.drains ? owned.filter(({ unsettled }) => unsettled > 0) : [];
    const assignment = await this.#member.join(topics, {
      owned: owned.map(({ place }) => place),
      busy: busy.map(({ place }) => place),
    });
    await this.#take(assignment);
    this.#joinedTopics = this.#keyOfTopics(topics);
    this.#joined = true;
    this.#fetcher.read(this.#order);
    this.#options.onAssigned?.(this.#order.map(({ place }) => place));
    this.pump();
  }

  async #take(assignment: Assignment): Promise<void> {
    const places = Object.entries(assignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    );
    const committed = await this.#cluster.retried(() => this.#member.committed(places), 10_000);
    const marks = new Map(committed.map((commit) => [keyOf(commit), commit]));
    const before = new Map(this.#logs);
    this.#logs.clear();
    for (const place of places) {
      const key = keyOf(place);
      const commit = marks.get(key);
      const none = commit === undefined || commit.offset < 0;
      const mark = none ? this.#options.startOf(place) : commit.offset;
      const known = before.get(key) ?? this.#lost.get(key);
      before.delete(key);
      this.#lost.delete(key);
      this.#logs.set(key, resumed(place, known, mark, none ? "" : commit.metadata));
    }
    for (const [key, log] of before) {
      log.lost = true;
      log.dropBuffer();
      if (log.unsettled > 0) this.#lost.set(key, log);
    }
    this.#order = [...this.#logs.values()];
  }

  #keyOfTopics(topics: readonly string[]): string {
    return topics
      .map((topic) => `${topic} ${this.#cluster.partitionsOf(topic)}`)
      .sort()
      .join();
  }

  /** Stays in the group until it has to be joined anew. */
  async #stay(): Promise<void> {
    const { sessionTimeout } = this.#cluster.target;
    const interval = Math.min(1_000, sessionTimeout / 6);
    while (!this.#closing && !this.#rejoin) {
      await this.#pause(interval);
      if (this.#closing || this.#rejoin) return;
      try {
        await this.#member.heartbeat();
        this.pump();
      } catch (error) {
        if (asksToRejoin(error)) return;
        if (!(error instanceof KafkaError) || !error.retriable) throw error;
        await sleep(ERROR_PAUSE);
      }
    }
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #leave(): Promise<void> {
    try {
      await this.#commitNow();
    } catch (error) {
      this.#cluster.logger.debug({ error }, "What was done last could not be committed; it is handled again.");
    }
    await this.#member.leave().catch(() => {});
  }

  /** Waits until nothing is out, for so many milliseconds at most. */
  async #drained(limit: number): Promise<void> {
    if (this.unsettled === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#onSettled = () => {
        if (this.unsettled === 0) resolve();
      };
    });
    await inTime(empty, limit);
    this.#onSettled = () => {};
  }

  #touch(): void {
    this.#dirty = true;
    if (this.#commitTimer !== undefined || this.#closing) return;
    this.#commitTimer = setTimeout(() => {
      this.#commitTimer = undefined;
      // Outside of a generation it would be refused; joining commits by itself.
      if (this.#joined) this.#commitNow().catch((error: unknown) => this.#commitFailed(error));
    }, COMMIT_INTERVAL);
  }

  #commitFailed(error: unknown): void {
    if (this.#closing) return;
    if (asksToRejoin(error)) {
      this.#rejoin = true;
      this.#wake();
    }
    this.#touch();
  }

  /** Commits the newest marks; one commit is in flight at a time. */
  async #commitNow(): Promise<void> {
    while (this.#committing !== undefined) await this.#committing.catch(() => {});
    if (!this.#dirty) return;
    this.#dirty = false;
    this.#committing = this.#commit().finally(() => {
      this.#committing = undefined;
    });
    try {
      await this.#committing;
    } catch (error) {
      this.#dirty = true;
      throw error;
    }
  }

  async #commit(): Promise<void> {
    const changed = [...this.#logs.values()].flatMap((log) => {
      const { offset, metadata } = log.commit;
      const text = `${offset} ${metadata}`;
      return text === log.committed ? [] : [{ log, text, commit: { ...log.place, offset, metadata } }];
    });
    if (changed.length === 0) return;
    await this.#member.commit(changed.map(({ commit }) => commit));
    for (const { log, text } of changed) log.committed = text;
  }
}

function resumed(place: Place, known: PartitionLog | undefined, mark: number, metadata: string): PartitionLog {
  // Nobody has got further meanwhile than this instance had.
  if (known !== undefined && !known.hasDropped && mark <= known.mark) {
    if (known.lost) known.dropBuffer();
    known.lost = false;
    return known;
  }
  const log = new PartitionLog(place, mark, metadata);
  if (known !== undefined) log.adopt(known);
  return log;
}
