import type { Commit } from "../client/kafka-client.ts";
import type { DoneRuns } from "../wire/done-runs.ts";
import { isOfOtherTopic } from "../wire/topic-id.ts";
import { partitionKey, type TopicPartition } from "../wire/topic-partition.ts";
import { type LogStart, PartitionLog } from "./partition-log.ts";

/** The logs of the partitions that this instance owns, carried over from one assignment to the next. */
export class AssignedPartitions {
  readonly #startOf: (source: TopicPartition) => number;
  readonly #idOf: (topic: string) => number | undefined;
  readonly #announces: (() => number) | undefined;
  readonly #owned = new Map<string, PartitionLog>();
  /** Partitions that went to others while handlers of this instance still ran. */
  readonly #lost = new Map<string, PartitionLog>();
  #list: readonly PartitionLog[] = [];

  /**
   * @param startOf where a partition without a commit begins
   * @param idOf the present id of a topic
   * @param announces how many offsets are announced at least, if what is handed out is announced
   */
  constructor(
    startOf: (source: TopicPartition) => number,
    idOf: (topic: string) => number | undefined,
    announces: (() => number) | undefined,
  ) {
    this.#startOf = startOf;
    this.#idOf = idOf;
    this.#announces = announces;
  }

  get list(): readonly PartitionLog[] {
    return this.#list;
  }

  /** The logs of those of `sources` that are owned. */
  logsOf(sources: readonly TopicPartition[]): readonly PartitionLog[] {
    return sources.flatMap((source) => this.#owned.get(partitionKey(source)) ?? []);
  }

  /**
   * Takes over a new assignment with the group's commits, and with what these point at, by `partitionKey`.
   *
   * @returns the topics that were deleted and made anew since
   */
  assign(
    assigned: readonly TopicPartition[],
    commits: readonly Commit[],
    done: ReadonlyMap<string, DoneRuns> = new Map(),
  ): ReadonlySet<string> {
    const anew = new Set<string>();
    const committed = new Map(commits.map((commit) => [partitionKey(commit), commit]));
    const before = new Map(this.#owned);
    this.#owned.clear();
    for (const source of assigned) {
      const key = partitionKey(source);
      const commit = committed.get(key);
      const topicId = this.#idOf(source.topic);
      const isStale = commit !== undefined && isOfOtherTopic(commit.metadata, topicId);
      if (isStale) anew.add(source.topic);
      const none = commit === undefined || commit.offset < 0 || isStale;
      const offset = none ? this.#startOf(source) : commit.offset;
      let known = before.get(key) ?? this.#lost.get(key);
      if (known?.topicId !== topicId && known?.topicId !== undefined && topicId !== undefined) {
        anew.add(source.topic);
        known.lost = true;
        known.dropBuffer();
        known = undefined;
      }
      before.delete(key);
      this.#lost.delete(key);
      const start = none ? { topicId } : { topicId, metadata: commit.metadata, done: done.get(key) };
      this.#owned.set(key, this.#resume(source, known, offset, start));
    }
    for (const [key, log] of before) {
      log.lost = true;
      log.dropBuffer();
      if (log.unsettled > 0) this.#lost.set(key, log);
    }
    this.#list = [...this.#owned.values()];
    return anew;
  }

  /** Begins anew with a partition whose topic was created again. What was delivered of the old one is lost. */
  replace(source: TopicPartition, offset: number): void {
    const key = partitionKey(source);
    const old = this.#owned.get(key);
    if (old === undefined) return;
    old.lost = true;
    old.dropBuffer();
    this.#owned.set(
      key,
      new PartitionLog(source, offset, { topicId: this.#idOf(source.topic), announces: this.#announces }),
    );
    this.#list = [...this.#owned.values()];
  }

  /** Marks all partitions as lost: nothing can be settled any more. */
  lose(): void {
    for (const log of this.#list) log.lost = true;
  }

  #resume(source: TopicPartition, known: PartitionLog | undefined, offset: number, start: LogStart): PartitionLog {
    // What this instance had handed out itself did not come back from a death.
    const takenOver = known === undefined || known.lost;
    const log = new PartitionLog(source, offset, { ...start, takenOver, announces: this.#announces });
    if (known === undefined) return log;
    // A member that was expelled without noticing finds what others have done meanwhile.
    if (!takenOver && !known.hasDropped && offset <= known.mark && log.doneEnd <= known.examined) {
      known.forgetCommit();
      return known;
    }
    log.adopt(known);
    // What it has not adopted somebody else has done, or is read anew.
    known.lost = true;
    known.dropBuffer();
    return log;
  }
}
