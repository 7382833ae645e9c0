/** The most characters of a commit's metadata; a broker takes 4,096 bytes unless told otherwise. */
const LONGEST = 4_000;

/**
 * What is done above a commit, kept in the commit's metadata, so that whoever goes on from it leaves that out:
 *
 *     metadata = "" / "1" 1*("," run)     ; lengths in base 36: open, done, open, done, ... from the commit's offset on
 *
 * What does not fit is left away at the end, and is handled again.
 */
export function encodeRuns(mark: number, examined: number, open: Iterable<number>): string {
  if (examined <= mark) return "";
  const runs: string[] = ["1"];
  let length = 1;
  let at = mark;
  let openFrom = mark;
  const add = (openRun: number, doneRun: number): boolean => {
    const text = `${openRun.toString(36)},${doneRun.toString(36)}`;
    if (length + text.length + 1 > LONGEST) return false;
    runs.push(text);
    length += text.length + 1;
    return true;
  };
  for (const offset of open) {
    if (offset > at) {
      if (!add(at - openFrom, offset - at)) return runs.join(",");
      openFrom = offset;
    }
    at = offset + 1;
  }
  if (examined > at) add(at - openFrom, examined - at);
  return runs.length === 1 ? "" : runs.join(",");
}

/** What a commit's metadata says to be done. */
export class DoneRuns {
  /** Begin and end of each run, in order. */
  readonly #runs: (readonly [from: number, to: number])[] = [];

  constructor(mark: number, metadata: string) {
    const [version, ...lengths] = metadata.split(",");
    if (version !== "1") return;
    let at = mark;
    for (let index = 0; index + 1 < lengths.length; index += 2) {
      const open = Number.parseInt(lengths[index] ?? "", 36);
      const done = Number.parseInt(lengths[index + 1] ?? "", 36);
      if (!(open >= 0) || !(done > 0)) return;
      this.#runs.push([at + open, at + open + done]);
      at += open + done;
    }
  }

  has(offset: number): boolean {
    return this.#runs.some(([from, to]) => offset >= from && offset < to);
  }

  /** How many offsets are done. */
  get count(): number {
    return this.#runs.reduce((sum, [from, to]) => sum + to - from, 0);
  }

  get empty(): boolean {
    return this.#runs.length === 0;
  }
}
