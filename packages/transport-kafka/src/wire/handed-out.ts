/**
 * What a partition's owner may have handed out, and what came back from owners that died (T6). It is kept in the commit's
 * metadata, behind the {@link import("./done-runs.ts").encodeRuns | runs}, where the version before stops reading:
 *
 *     metadata = runs / (runs / "1") ",!" until "," once "," twice     ; counted from the committed offset on, in base 36
 */
export interface HandedOut {
  /** Records below may have been handed out; nothing is open where it is not above the committed offset. */
  readonly until: number;
  /** Records below have come back unexplained at least once. */
  readonly once: number;
  /** Records below have come back unexplained at least twice. */
  readonly twice: number;
}

const STATE = /^1(?:,.*)?,!([0-9a-z]+),([0-9a-z]+),([0-9a-z]+)(?:,#.*)?$/;

/** Adds it to the metadata of a commit; only what lies above the committed offset counts. */
export function withHandedOut(runs: string, committed: number, { until, once, twice }: HandedOut): string {
  const lengths = [until, once, twice].map((offset) => Math.max(0, offset - committed));
  if (lengths.every((length) => length === 0)) return runs;
  return `${runs === "" ? "1" : runs},!${lengths.map((length) => length.toString(36)).join(",")}`;
}

/** Reads it from a commit's metadata. What is not ours, or is of the version before, says that nothing was open. */
export function readHandedOut(committed: number, metadata: string): HandedOut {
  const [, ...lengths] = STATE.exec(metadata) ?? [];
  const [until = 0, once = 0, twice = 0] = lengths.map((length) => Number.parseInt(length, 36));
  return { until: committed + until, once: committed + once, twice: committed + twice };
}

/** What holds after an owner has ended without a word: what it may have handed out came back once more. */
export function afterDeath({ until, once, twice }: HandedOut): HandedOut {
  return { until, once: Math.max(once, until), twice: Math.max(twice, Math.min(once, until)) };
}
