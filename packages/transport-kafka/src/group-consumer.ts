import type { Assignment, FetchedRecord, FetchResult, Place } from "./client/client.ts";
import { KafkaError } from "./client/client.ts";
import type { KafkajsClient } from "./client/kafkajs-client.ts";
import type { Cluster } from "./cluster.ts";
import { asksToRejoin, GroupMember } from "./group-member.ts";
import { type Entry, PartitionLog } from "./partition-log.ts";
import { Backoff, inTime, sleep } from "./time-limit.ts";

/** How long running handlers are waited for before the group is joined anew. */
const DRAIN = 250;
const COMMIT_INTERVAL = 100;
/** How long a fetch waits at the broker; less while some partition was left out of it. */
const IDLE_WAIT = 2_000;
const SHORT_WAIT = 50;
/** No more is fetched of a partition while so many bytes of it wait. */
const ENOUGH_BYTES = 512 * 1_024;
const FETCH_BYTES = 8 * 1_048_576;
const PARTITION_BYTES = 1_048_576;
const ERROR_PAUSE = 100;
const UNREADABLE_PAUSE = 30_000;

export interface GroupConsumerOptions {
  readonly cluster: Cluster;
  readonly group: string;
  /** The topics to be read; asked before each joining. */
  readonly topics: () => Promise<readonly string[]>;
  /** Where a partition begins that nothing was committed of. */
  readonly startOf: (place: Place) => number;
  /** Those of fetched records that are to be handed over; the others are done. */
  readonly wanted: (
    place: Place,
    records: readonly FetchedRecord[],
  ) => readonly FetchedRecord[] | Promise<readonly FetchedRecord[]>;
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
  readonly #client: KafkajsClient;
  readonly #member: GroupMember;
  readonly #logs = new Map<string, PartitionLog>();
  /** Partitions that went to others while handlers of this instance still ran. */
  readonly #lost = new Map<string, PartitionLog>();
  readonly #fetching = new Set<number>();
  #joinedTopics = "";
  #order: PartitionLog[] = [];
  #leaders: Map<number, PartitionLog[]> | undefined;
  /** Counts the joinings. */
  #epoch = 0;
  #pumping = false;
  #finding = false;
  /** Until when partitions are fetched one by one. */
  #apart = Number.NEGATIVE_INFINITY;
  #doubting: NodeJS.Timeout | undefined;
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
    this.#fetchMore();
  }

  /** An entry is done. Dropped where its partition is another instance's now. */
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
    if (this.#epoch === 0) await this.#client.metadata([this.#cluster.names.registry]);
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
    this.#epoch += 1;
    // A fetch for the partitions of before may still wait at the broker.
    this.#client.interruptFetches();
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
    this.#reorder();
  }

  #keyOfTopics(topics: readonly string[]): string {
    return topics
      .map((topic) => `${topic} ${this.#cluster.partitionsOf(topic)}`)
      .sort()
      .join();
  }

  #reorder(): void {
    this.#order = [...this.#logs.values()];
    this.#leaders = undefined;
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

  #fetchMore(): void {
    if (this.#closing || !this.#joined) return;
    if (this.#leaders === undefined) {
      void this.#findLeaders();
      return;
    }
    for (const [node, logs] of this.#leaders) if (!this.#fetching.has(node)) void this.#fetchFrom(node, logs);
  }

  /** Partitions by the broker that leads them; asked for again when an error casts doubt on it. */
  async #findLeaders(): Promise<void> {
    if (this.#finding) return;
    this.#finding = true;
    const order = this.#order;
    const nodes = new Map<number, PartitionLog[]>();
    for (const log of order) {
      try {
        const node = await this.#cluster.leader(log.place);
        const list = nodes.get(node);
        if (list === undefined) nodes.set(node, [log]);
        else list.push(log);
      } catch (error) {
        this.#cluster.logger.debug({ error }, "A partition has no leader now.");
        this.#laterDoubt();
      }
    }
    this.#finding = false;
    if (order === this.#order) this.#leaders = nodes;
    this.#fetchMore();
  }

  #laterDoubt(): void {
    if (this.#doubting !== undefined) return;
    this.#doubting = setTimeout(() => {
      this.#doubting = undefined;
      this.#leaders = undefined;
      this.#fetchMore();
    }, ERROR_PAUSE);
  }

  /** Fetches once from one broker, then goes on with whatever is to be fetched then. */
  async #fetchFrom(node: number, logs: readonly PartitionLog[]): Promise<void> {
    const now = performance.now();
    const all = logs.filter((log) => log.buffered < ENOUGH_BYTES && log.pausedUntil <= now);
    // One after the other while one of them cannot be read.
    const asked =
      now < this.#apart && all.length > 0
        ? [all[this.#turn++ % all.length] ?? all[0]].flatMap((log) => log ?? [])
        : all;
    if (asked.length === 0) {
      if (logs.some((log) => log.pausedUntil > now)) this.#laterDoubt();
      return;
    }
    if (this.#fetching.has(node)) return;
    this.#fetching.add(node);
    const epoch = this.#epoch;
    try {
      const results = await this.#client.fetch(
        node,
        asked.map(({ place, position }) => ({ ...place, offset: position })),
        {
          wait: asked.length < logs.length ? SHORT_WAIT : IDLE_WAIT,
          bytes: FETCH_BYTES,
          bytesPerPartition: PARTITION_BYTES,
        },
      );
      const at = new Map(asked.map((log) => [keyOf(log.place), log]));
      for (const result of results) {
        const log = at.get(keyOf(result));
        if (log !== undefined) await this.#fetched(log, result);
      }
    } catch (error) {
      // Interrupted by a new generation: nothing is wrong.
      if (epoch === this.#epoch) await this.#fetchFailed(error, asked);
    } finally {
      this.#fetching.delete(node);
    }
    this.pump();
  }

  async #fetched(log: PartitionLog, result: FetchResult): Promise<void> {
    const { position } = log;
    if (result.error !== undefined) {
      await this.#partitionFailed(log, result.error);
      return;
    }
    if (result.next === position || log.lost) return;
    const fresh = result.records.filter(({ offset }) => !log.wasDone(offset));
    const wanted = fresh.length === 0 ? fresh : await this.#options.wanted(log.place, fresh);
    // The group may have been joined anew meanwhile.
    if (log.lost || log.position !== position || this.#logs.get(keyOf(log.place)) !== log) return;
    log.add(wanted, result.next);
  }

  async #partitionFailed(log: PartitionLog, error: KafkaError): Promise<void> {
    this.#cluster.doubt(log.place.topic, error);
    this.#leaders = undefined;
    log.pausedUntil = performance.now() + ERROR_PAUSE;
    if (error.type !== "OFFSET_OUT_OF_RANGE") return;
    const [earliest] = await this.#cluster.offsets([log.place], "earliest");
    if (earliest === undefined) return;
    const about = { ...log.place, from: log.position, to: earliest.offset };
    this.#cluster.logger.warn(about, "Kafka has deleted events before they were read; look at the topic's retention.");
    if (earliest.offset > log.position) log.skipTo(earliest.offset);
    else this.#logs.set(keyOf(log.place), new PartitionLog(log.place, earliest.offset));
    this.#reorder();
  }

  /** Something that cannot be read, such as a batch in an unknown compression, holds up its own partition only. */
  #separate(error: KafkaError, logs: readonly PartitionLog[]): void {
    const [only] = logs;
    if (only === undefined || logs.length > 1) {
      this.#apart = performance.now() + UNREADABLE_PAUSE;
      return;
    }
    only.pausedUntil = performance.now() + UNREADABLE_PAUSE;
    const about = { error, ...only.place, offset: only.position };
    this.#cluster.logger.error(about, "What stands in a partition cannot be read; it is tried again.");
  }

  async #fetchFailed(error: unknown, logs: readonly PartitionLog[]): Promise<void> {
    if (this.#closing) return;
    if (error instanceof KafkaError && !error.retriable) this.#separate(error, logs);
    for (const { place } of logs) this.#cluster.doubt(place.topic, error);
    this.#cluster.logger.debug({ error }, "A fetch failed; it is tried again.");
    this.#leaders = undefined;
    await sleep(error instanceof KafkaError && error.type === "CONNECTION" ? 10 : ERROR_PAUSE);
    await this.#client.metadata([this.#cluster.names.registry]).catch(() => sleep(ERROR_PAUSE));
  }
}

function resumed(place: Place, known: PartitionLog | undefined, mark: number, metadata: string): PartitionLog {
  // Nobody has got further meanwhile than this instance had.
  if (known !== undefined && mark <= known.mark) {
    if (known.lost) known.dropBuffer();
    known.lost = false;
    return known;
  }
  const log = new PartitionLog(place, mark, metadata);
  if (known !== undefined) log.adopt(known);
  return log;
}

function keyOf({ topic, partition }: Place): string {
  return `${partition} ${topic}`;
}
