import { partitionKey } from "../wire/topic-partition.ts";
import type { PartitionLog } from "./partition-log.ts";

/** After so long, what is drained is given up without what is not. */
const PATIENCE_MS = 3_000;
/** After so long, a partition in which a handler still runs is read on: its other events must not wait for that one. */
const LIMIT_MS = 30_000;

/**
 * Drains partitions that the group wants to give to other members (R8). A partition in which handlers run stays with its
 * owner, and under a backlog handlers always run: the owner hands out nothing more from it, and gives it up when they have
 * ended.
 */
export class Handover {
  readonly #onDrained: () => void;
  readonly #onResumed: () => void;
  /** Since when each partition is to be given up, by the monotonic clock. */
  #since = new Map<string, number>();
  #draining: readonly PartitionLog[] = [];
  #impatient = false;
  #timers: NodeJS.Timeout[] = [];

  /**
   * @param onDrained called when the group should be joined again without the drained partitions
   * @param onResumed called when the partitions that are left are read on
   */
  constructor(onDrained: () => void, onResumed: () => void) {
    this.#onDrained = onDrained;
    this.#onResumed = onResumed;
  }

  /** Begins to drain these logs, and no others. */
  begin(logs: readonly PartitionLog[]): void {
    this.stop();
    const now = performance.now();
    const since = logs.map(
      (log) => [partitionKey(log.source), this.#since.get(partitionKey(log.source)) ?? now] as const,
    );
    this.#since = new Map(since);
    this.#draining = logs.filter((_, index) => now - (since[index]?.[1] ?? now) < LIMIT_MS);
    if (this.#draining.length === 0) return;
    for (const log of this.#draining) log.pauseDelivery();
    const oldest = Math.min(...this.#draining.map(({ source }) => this.#since.get(partitionKey(source)) ?? now));
    this.#timers = [
      setTimeout(() => {
        this.#impatient = true;
        this.check();
      }, PATIENCE_MS),
      setTimeout(() => this.#resume(), oldest + LIMIT_MS - now),
    ];
    this.check();
  }

  /** To be called when something has been settled. */
  check(): void {
    if (this.#draining.length === 0) return;
    const drained = this.#draining.filter(({ unsettled }) => unsettled === 0).length;
    if (drained === this.#draining.length || (this.#impatient && drained > 0)) this.#onDrained();
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const log of this.#draining) log.resumeDelivery();
    this.#draining = [];
    this.#impatient = false;
  }

  #resume(): void {
    this.stop();
    this.#onResumed();
  }
}
