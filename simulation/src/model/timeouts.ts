import type { UseCaseNote } from "../history/entry.ts";
import type { CallState } from "./hands.ts";

/** Whether the timeout may have passed before the handler ended (H7). */
export function hasTimedOut({ at, ended }: CallState, { timeout }: UseCaseNote, now: number): boolean {
  return timeout > 0 && (ended?.at ?? now) - at >= timeout;
}
