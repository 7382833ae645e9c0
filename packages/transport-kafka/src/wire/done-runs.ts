/** A broker accepts 4,096 bytes of commit metadata unless configured otherwise. */
const MAX_METADATA_LENGTH = 4_000;

/** Offsets that are done, from the first to before the second. */
type Run = readonly [from: number, to: number];

/**
 * Encodes what is done above a committed offset. It is kept in the commit's metadata, so that the next owner of the
 * partition skips it:
 *
 *     metadata = "" / "1" 1*("," run)     ; lengths in base 36: open, done, open, done, ... from the committed offset on
 *
 * Runs that do not fit are omitted at the end; their records are handled again.
 *
 * @param committed everything below is done
 * @param examined everything from here on is neither done nor open
 * @param open the offsets in between that are not done, in ascending order
 */
export function encodeRuns(committed: number, examined: number, open: Iterable<number>): string {
  return encode(committed, runsBetween(committed, examined, open), MAX_METADATA_LENGTH);
}

/**
 * Encodes as {@link encodeRuns} what the metadata has no room for, with what else is known to be done from `examined` on;
 * `undefined` where it has.
 */
export function encodeUnfitRuns(
  committed: number,
  examined: number,
  open: Iterable<number>,
  further: DoneRuns,
  limit: number,
): string | undefined {
  const runs = [...runsBetween(committed, examined, open)];
  const text = encode(committed, [...runs, ...further.from(examined)], limit);
  return text.length <= MAX_METADATA_LENGTH ? undefined : text;
}

/** The offsets above a commit that are reported as done. */
export class DoneRuns {
  /** In order, and not touching each other. */
  readonly #runs: readonly Run[];

  constructor(committed: number, metadata: string, further?: DoneRuns) {
    const own = decode(committed, metadata);
    this.#runs = further === undefined || further.empty ? own : united([...own, ...further.#runs]);
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

  /** The runs from an offset on. */
  from(offset: number): readonly Run[] {
    return this.#runs.filter(([, to]) => to > offset).map(([from, to]) => [Math.max(from, offset), to]);
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

function* runsBetween(committed: number, examined: number, open: Iterable<number>): Generator<Run> {
  let at = committed;
  for (const offset of open) {
    if (offset > at) yield [at, offset];
    at = offset + 1;
  }
  if (examined > at) yield [at, examined];
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

function decode(committed: number, metadata: string): readonly Run[] {
  const [version, ...lengths] = metadata.split(",");
  if (version !== "1") return [];
  const runs: Run[] = [];
  let at = committed;
  for (let index = 0; index + 1 < lengths.length; index += 2) {
    const open = Number.parseInt(lengths[index] ?? "", 36);
    const done = Number.parseInt(lengths[index + 1] ?? "", 36);
    if (!(open >= 0) || !(done > 0)) break;
    runs.push([at + open, at + open + done]);
    at += open + done;
  }
  return runs;
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
