import type { RefusedCommit } from "../client/kafka-client.ts";
import { partitionKey } from "../wire/topic-partition.ts";
import type { GroupMember } from "./group-member.ts";
import { HeldUpPartitions } from "./held-up-partitions.ts";
import type { PartitionLog } from "./partition-log.ts";

const COMMIT_INTERVAL_MS = 100;
/** Settlements that are not committed after so long may never be. */
const OVERDUE_MS = 1_000;
/** So many settlements are committed at once: all of them come back if this process dies. */
const MAX_UNCOMMITTED = 1_000;
/** No more settlements wait for a commit that is late. */
const MAX_PENDING = 5_000;

export interface OffsetCommitsOptions {
  readonly member: GroupMember;
  readonly logs: () => Iterable<PartitionLog>;
  /** Whether the group takes commits now: outside of a generation it refuses them. */
  readonly accepted: () => boolean;
  readonly onStored: () => void;
  readonly onFailed: (error: unknown) => void;
}

/** Commits the low-water marks of the partitions, and what is done above them, soon after they have changed. */
export class OffsetCommits {
  readonly #options: OffsetCommitsOptions;
  #dirty = false;
  #stopped = false;
  #committing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #urgent = false;
  /** How many settlements no commit covers yet. */
  #pending = 0;
  /** Since when there have been some, by the monotonic clock. */
  #pendingSince = 0;
  /** The partitions whose commits are refused. */
  readonly #refused = new HeldUpPartitions();
  /** Whether the last commit was refused for some partition: the next one must not follow at once, again and again. */
  #isRefused = false;

  constructor(options: OffsetCommitsOptions) {
    this.#options = options;
  }

  /** For how many milliseconds some settlements have waited for a commit. */
  get waiting(): number {
    return this.#pending === 0 ? 0 : performance.now() - this.#pendingSince;
  }

  /** How many settlements wait for a commit that is late; as long as commits get through, none counts. */
  get overdue(): number {
    return this.#pending >= MAX_PENDING || this.waiting > OVERDUE_MS ? this.#pending : 0;
  }

  /** What keeps commits of single partitions from being stored, if anything does. */
  get problem(): string | undefined {
    this.#refused.keepOnly([...this.#options.logs()].map(({ source }) => source));
    return this.#refused.problem;
  }

  /** Notes that something has been settled. */
  settled(): void {
    if (this.#pending === 0) this.#pendingSince = performance.now();
    this.#pending += 1;
    if (this.#pending % MAX_UNCOMMITTED === 0) this.now();
    else this.schedule();
  }

  /** Commits within the commit interval. */
  schedule(): void {
    this.#dirty = true;
    if (this.#timer !== undefined || this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#begin();
    }, COMMIT_INTERVAL_MS);
  }

  /** Commits at once, or right after the commit in flight; while one is refused, within the commit interval. */
  now(): void {
    if (this.#isRefused) {
      this.schedule();
      return;
    }
    this.#dirty = true;
    if (this.#urgent || this.#stopped) return;
    this.#urgent = true;
    this.#begin();
  }

  /**
   * Commits what has changed; one commit is in flight at a time.
   *
   * @param ends says of a partition that nothing is handed out from it any more
   * @throws KafkaError
   */
  async commit(ends?: (log: PartitionLog) => boolean): Promise<void> {
    while (this.#committing !== undefined) await this.#committing.catch(() => {});
    this.#urgent = false;
    if (!this.#dirty) return;
    this.#dirty = false;
    this.#committing = this.#commit(ends).finally(() => {
      this.#committing = undefined;
    });
    try {
      await this.#committing;
    } catch (error) {
      this.#dirty = true;
      throw error;
    }
  }

  /** Commits everything for the last time in this generation. @throws KafkaError */
  end(ends: (log: PartitionLog) => boolean): Promise<void> {
    this.#dirty = true;
    return this.commit(ends);
  }

  /** Schedules no more commits. */
  stop(): void {
    this.#stopped = true;
  }

  /** Drops a scheduled commit. */
  close(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #begin(): void {
    // Outside of a generation nothing is lost: joining the group commits first.
    if (this.#options.accepted()) this.commit().catch((error: unknown) => this.#options.onFailed(error));
    else this.#urgent = false;
  }

  async #commit(ends: ((log: PartitionLog) => boolean) | undefined): Promise<void> {
    const pending = this.#pending;
    const begun = performance.now();
    // Of thousands of partitions most have nothing new.
    const logs = [...this.#options.logs()].filter((log) => ends !== undefined || log.isChanged);
    const all = logs.map((log) => {
      log.isChanged = false;
      const { offset, metadata, stored } = log.commit(ends?.(log) ?? false);
      return { log, text: `${offset} ${metadata}`, stored, commit: { ...log.source, offset, metadata } };
    });
    const changed = all.filter(({ log, text }) => text !== log.committed);
    let refused: readonly RefusedCommit[];
    try {
      refused = changed.length === 0 ? [] : await this.#options.member.commit(changed.map(({ commit }) => commit));
    } catch (error) {
      // Whether it is stored is not known.
      for (const log of logs) log.forgetCommit();
      throw error;
    }
    const errors = new Map(refused.map((each) => [partitionKey(each), each.error]));
    for (const { log, text, stored } of all) {
      const error = errors.get(log.key);
      if (error === undefined) {
        log.committed = text;
        this.#refused.over(log.source);
        stored();
      } else {
        log.forgetCommit();
        this.#refused.note(log.source, `what is done in it cannot be committed: ${error.message}`);
      }
    }
    // Also those of partitions whose commit is refused: what is done in the others must not wait for them.
    this.#pending -= pending;
    this.#pendingSince = begun;
    const [first] = refused;
    this.#isRefused = first !== undefined;
    if (changed.length > refused.length) this.#options.onStored();
    if (first === undefined) return;
    this.schedule();
    // A topic may be known here before it is to the broker that takes the commits, and no other commit follows.
    if (ends !== undefined) throw first.error;
  }
}
