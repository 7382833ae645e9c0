import type { Entry, PartitionLog } from "./partition-log.ts";

/** Takes what is to be delivered from partitions in turn, and goes on next time where it has ended. */
export class Turns {
  #turn = 0;

  /** @param hasRoom whether one more entry of so many bytes may be delivered */
  deliver(
    logs: readonly PartitionLog[],
    hasRoom: (log: PartitionLog, bytes: number) => boolean,
    deliver: (entry: Entry) => void,
  ): void {
    const active = [...logs];
    for (let turn = this.#turn; active.length > 0; ) {
      const at = turn % active.length;
      const log = active[at];
      const entry = log?.next((bytes) => hasRoom(log, bytes));
      if (entry === undefined) {
        active.splice(at, 1);
        continue;
      }
      turn = at + 1;
      this.#turn += 1;
      deliver(entry);
    }
  }
}
