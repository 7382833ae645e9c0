import { setTimeout as pause } from "node:timers/promises";

/** How long nothing may happen before waiting is given up, in milliseconds. */
const PATIENCE = 30_000;
const INTERVAL = 50;

export interface Awaited {
  readonly condition: () => boolean | Promise<boolean>;
  /** Changes whenever something happens. */
  readonly progress: () => number;
  readonly signal: AbortSignal;
  readonly patience?: number;
}

/** Waits for a condition as long as anything goes on; `false` if nothing has for longer than the patience. */
export async function until({ condition, progress, signal, patience = PATIENCE }: Awaited): Promise<boolean> {
  let last = Number.NaN;
  let since = performance.now();
  while (!(await condition())) {
    const now = performance.now();
    if (progress() !== last) since = now;
    else if (now - since > patience) return false;
    last = progress();
    await pause(INTERVAL, undefined, { signal });
  }
  return true;
}
