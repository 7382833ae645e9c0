/** Something that can have work left to do now. */
export interface Work {
  readonly busy: boolean;
  /** Grows whenever something gets done. */
  readonly progress: number;
}

/** How many turns without work make quiet: a publish and what follows a settlement take a turn each. */
const QUIET_TURNS = 3;
/** How long, in real time, a handler may go on without any progress before waiting is given up. */
const PATIENCE = 5_000;

/**
 * Waits, in real time, until no work is left to do now.
 *
 * @param patience milliseconds to wait while nothing gets done
 * @throws Error when a handler has run for longer
 */
export async function waitUntilQuiet(work: readonly Work[], patience = PATIENCE): Promise<void> {
  if (await becomesQuiet(work, patience)) return;
  throw new Error(
    `settled() waited ${patience} ms for a handler that does not end; end it, or advance the clock to its timeout.`,
  );
}

/** How much has got done so far. */
export function progressOf(work: readonly Work[]): number {
  return work.reduce((sum, each) => sum + each.progress, 0);
}

/**
 * Waits until no work is left to do now; `false` if a handler runs on for longer than `patience` milliseconds, and at
 * once if nothing has got done since the progress was `stuckAt`.
 */
export async function becomesQuiet(work: readonly Work[], patience: number, stuckAt = -1): Promise<boolean> {
  let progress = -1;
  let since = performance.now();
  for (let quiet = 0; quiet < QUIET_TURNS; ) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    quiet = work.some(({ busy }) => busy) ? 0 : quiet + 1;
    const now = performance.now();
    const done = progressOf(work);
    if (done !== progress) since = now;
    else if (done === stuckAt || now - since > patience) return false;
    progress = done;
  }
  return true;
}
