import { partitionKey } from "../wire/topic-partition.ts";
import type { PartitionLog } from "./partition-log.ts";

/** After so long, what is drained is given up without what is not. */
const PATIENCE_MS = 3_000;
/** After so long, a partition in which a handler still runs is read on: its other events must not wait for that one. */
const LIMIT_MS = 30_000;
/** After so long, where there is no room for them anyway: then they wait for handlers, of which another member has free ones. */
const LIMIT_WITHOUT_ROOM_MS = 600_000;
const ROOM_CHECK_MS = 1_000;

export interface HandoverOptions {
  /** Called when the group should be joined again without the drained partitions. */
  readonly onDrained: () => void;
  /** Called when the partitions that are left are read on. */
  readonly onResumed: () => void;
  /** Whether more of a partition could be handed out. */
  readonly hasRoom: (log: PartitionLog) => boolean;
}

/**
 * Drains partitions that the group wants to give to other members (R8). A partition in which handlers run stays with its
 * owner, and under a backlog handlers always run: the owner hands out nothing more from it, and gives it up when they have
 * ended.
 */
export class Handover {
  readonly #options: HandoverOptions;
  /** Since when each partition is to be given up, by the monotonic clock. */
  #since = new Map<string, number>();
  #draining: readonly PartitionLog[] = [];
  #impatient = false;
  #patienceTimer: NodeJS.Timeout | undefined;
  #limitTimer: NodeJS.Timeout | undefined;

  constructor(options: HandoverOptions) {
    this.#options = options;
  }

  /** Begins to drain these logs, and no others. */
  begin(logs: readonly PartitionLog[]): void {
    this.stop();
    const now = performance.now();
    const since = logs.map(
      (log) => [partitionKey(log.source), this.#since.get(partitionKey(log.source)) ?? now] as const,
    );
    this.#since = new Map(since);
    this.#draining = logs.filter((log) => this.#isWorthwhile(log));
    if (this.#draining.length === 0) return;
    for (const log of this.#draining) log.pauseDelivery();
    this.#patienceTimer = setTimeout(() => {
      this.#impatient = true;
      this.check();
    }, PATIENCE_MS);
    const oldest = Math.min(...this.#draining.map((log) => this.#begunAt(log)));
    this.#limitTimer = setTimeout(() => this.#resumeUnlessWorthwhile(), Math.max(oldest + LIMIT_MS - now, 0));
    this.check();
  }

  /** To be called when something has been settled. */
  check(): void {
    if (this.#draining.length === 0) return;
    const drained = this.#draining.filter(({ unsettled }) => unsettled === 0).length;
    if (drained === this.#draining.length || (this.#impatient && drained > 0)) this.#options.onDrained();
  }

  stop(): void {
    clearTimeout(this.#patienceTimer);
    clearTimeout(this.#limitTimer);
    for (const log of this.#draining) log.resumeDelivery();
    this.#draining = [];
    this.#impatient = false;
  }

  #isWorthwhile(log: PartitionLog): boolean {
    const drainedFor = performance.now() - this.#begunAt(log);
    return drainedFor < LIMIT_MS || (drainedFor < LIMIT_WITHOUT_ROOM_MS && !this.#options.hasRoom(log));
  }

  #begunAt({ source }: PartitionLog): number {
    return this.#since.get(partitionKey(source)) ?? performance.now();
  }

  /** Reads on what is left when one of them is no longer worth while. */
  #resumeUnlessWorthwhile(): void {
    if (this.#draining.every((log) => this.#isWorthwhile(log))) {
      this.#limitTimer = setTimeout(() => this.#resumeUnlessWorthwhile(), ROOM_CHECK_MS);
      return;
    }
    this.stop();
    this.#options.onResumed();
  }
}
