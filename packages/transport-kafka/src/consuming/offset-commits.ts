import type { GroupMember } from "./group-member.ts";
import type { PartitionLog } from "./partition-log.ts";

const COMMIT_INTERVAL_MS = 100;

export interface OffsetCommitsOptions {
  readonly member: GroupMember;
  readonly logs: () => Iterable<PartitionLog>;
  /** Whether the group takes commits now: outside of a generation it refuses them. */
  readonly accepted: () => boolean;
  readonly onFailed: (error: unknown) => void;
}

/** Commits the low-water marks of the partitions, and what is done above them, soon after they have changed. */
export class OffsetCommits {
  readonly #options: OffsetCommitsOptions;
  #dirty = false;
  #stopped = false;
  #committing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OffsetCommitsOptions) {
    this.#options = options;
  }

  /** Commits within the commit interval. */
  schedule(): void {
    this.#dirty = true;
    if (this.#timer !== undefined || this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // Outside of a generation nothing is lost: joining the group commits first.
      if (this.#options.accepted()) this.commit().catch((error: unknown) => this.#options.onFailed(error));
    }, COMMIT_INTERVAL_MS);
  }

  /** Commits what has changed; one commit is in flight at a time. @throws KafkaError */
  async commit(): Promise<void> {
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

  /** Schedules no more commits. */
  stop(): void {
    this.#stopped = true;
  }

  /** Drops a scheduled commit. */
  close(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #commit(): Promise<void> {
    const changed = [...this.#options.logs()].flatMap((log) => {
      const { offset, metadata } = log.commit;
      const text = `${offset} ${metadata}`;
      return text === log.committed ? [] : [{ log, text, commit: { ...log.source, offset, metadata } }];
    });
    if (changed.length === 0) return;
    await this.#options.member.commit(changed.map(({ commit }) => commit));
    for (const { log, text } of changed) log.committed = text;
  }
}
