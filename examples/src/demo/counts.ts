import type { DeadLetterReason } from "@papa-events/core";

/** How many different events each thing happened to in one use case. */
export interface Counts {
  /** Came to the use case, whatever became of them. */
  readonly delivered: number;
  /** Its handler succeeded with. */
  readonly handled: number;
  /** Were tried again at least once. */
  readonly retried: number;
  /** Became dead letters, by the reason. */
  readonly dead: Readonly<Partial<Record<DeadLetterReason, number>>>;
}

/** By the use case's name. */
export type CountsByUseCase = Readonly<Record<string, Counts>>;

export function deadInAll({ dead }: Counts): number {
  return Object.values(dead).reduce((sum, count) => sum + count, 0);
}
