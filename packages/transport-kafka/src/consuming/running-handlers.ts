import { settlesWithin } from "../client/time-limit.ts";
import type { PartitionLog } from "./partition-log.ts";

const LIMIT_MS = 250;

/** Waits for the handlers that run, but not for long, before a group is joined again. */
export class RunningHandlers {
  #onSettled = () => {};
  #busy: readonly PartitionLog[] = [];

  /**
   * The partitions in which handlers ran when the wait was over, until the next one. Where these have ended since, no commit
   * says so yet, so that the partition must stay with its owner all the same.
   */
  get busy(): readonly PartitionLog[] {
    return this.#busy;
  }

  async wait(logs: readonly PartitionLog[]): Promise<void> {
    const isBusy = ({ unsettled }: PartitionLog) => unsettled > 0;
    if (logs.some(isBusy)) {
      const over = new Promise<void>((resolve) => {
        this.#onSettled = () => {
          if (!logs.some(isBusy)) resolve();
        };
      });
      await settlesWithin(over, LIMIT_MS);
      this.#onSettled = () => {};
    }
    this.#busy = logs.filter(isBusy);
  }

  /** To be called when something has been settled. */
  settled(): void {
    this.#onSettled();
  }
}
