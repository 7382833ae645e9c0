/** A broker accepts 4,096 bytes of commit metadata unless configured otherwise. */
const MAX_METADATA_LENGTH = 4_000;

/** Offsets that are done, from the first to before the second. */
export type Run = readonly [from: number, to: number];

/**
 * Encodes what is done above a committed offset. It is kept in the commit's metadata, so that the next owner of the
 * partition skips it:
 *
 *     metadata = "" / "1" 1*("," run)     ; lengths in base 36: open, done, open, done, ... from the committed offset on
 *
 * Runs that do not fit are omitted at the end; their records are handled again.
 */
export function encodeRuns(committed: number, done: Iterable<Run>): string {
  return encode(committed, done, MAX_METADATA_LENGTH);
}

/** Encodes as {@link encodeRuns} what the metadata has no room for; `undefined` where it has. */
export function encodeUnfitRuns(committed: number, done: Iterable<Run>, limit: number): string | undefined {
  const text = encode(committed, done, limit);
  return text.length <= MAX_METADATA_LENGTH ? undefined : text;
}

/** What is done from one offset to before another: all but what is open, in ascending order. */
export function* runsBetween(from: number, to: number, open: Iterable<number>): Generator<Run> {
  let at = from;
  for (const offset of open) {
    if (offset > at) yield [at, offset];
    at = offset + 1;
  }
  if (to > at) yield [at, to];
}

/** Reads what {@link encodeRuns} has encoded. What is not ours says that nothing is done. */
export function readRuns(committed: number, metadata: string): DoneRuns {
  const [version, ...lengths] = metadata.split(",");
  const runs: Run[] = [];
  let at = committed;
  for (let index = 0; version === "1" && index + 1 < lengths.length; index += 2) {
    const open = Number.parseInt(lengths[index] ?? "", 36);
    const done = Number.parseInt(lengths[index + 1] ?? "", 36);
    if (!(open >= 0) || !(done > 0)) break;
    runs.push([at + open, at + open + done]);
    at += open + done;
  }
  return new DoneRuns(runs);
}

/** Offsets that are done, above some offset below which all are. */
export class DoneRuns {
  static readonly NONE = new DoneRuns([]);

  readonly #runs: readonly Run[];

  /** @param runs in order, and not overlapping */
  constructor(runs: Iterable<Run>) {
    this.#runs = [...runs];
  }

  has(offset: number): boolean {
    const runs = this.#runs;
    let low = 0;
    for (let high = runs.length; low < high; ) {
      const middle = (low + high) >> 1;
      if ((runs[middle]?.[1] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    const run = runs[low];
    return run !== undefined && offset >= run[0];
  }

  /** With what others report as done. */
  and(other: DoneRuns): DoneRuns {
    if (other.empty) return this;
    return this.empty ? other : new DoneRuns(united([...this.#runs, ...other.#runs]));
  }

  /** Only what lies at or above an offset. */
  from(offset: number): DoneRuns {
    if (this.end <= offset) return DoneRuns.NONE;
    const above = this.#runs.filter(([, to]) => to > offset);
    return new DoneRuns(above.map(([from, to]) => [Math.max(from, offset), to]));
  }

  [Symbol.iterator](): Iterator<Run> {
    return this.#runs[Symbol.iterator]();
  }

  /** The number of offsets that are done. */
  get count(): number {
    return this.#runs.reduce((sum, [from, to]) => sum + to - from, 0);
  }

  /** Everything from here on is not known to be done. */
  get end(): number {
    return this.#runs.at(-1)?.[1] ?? 0;
  }

  get empty(): boolean {
    return this.#runs.length === 0;
  }
}

function encode(committed: number, runs: Iterable<Run>, limit: number): string {
  const parts: string[] = ["1"];
  let length = 1;
  let at = committed;
  for (const [from, to] of runs) {
    const text = `${(from - at).toString(36)},${(to - from).toString(36)}`;
    if (length + text.length + 1 > limit) break;
    parts.push(text);
    length += text.length + 1;
    at = to;
  }
  return parts.length === 1 ? "" : parts.join(",");
}

function united(all: readonly Run[]): readonly Run[] {
  const runs: [from: number, to: number][] = [];
  for (const [from, to] of [...all].sort(([a], [b]) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else runs.push([from, to]);
  }
  return runs;
}
