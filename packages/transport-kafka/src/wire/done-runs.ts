/** A broker accepts 4,096 bytes of commit metadata unless configured otherwise. */
const MAX_METADATA_LENGTH = 4_000;

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
  if (examined <= committed) return "";
  const runs: string[] = ["1"];
  let length = 1;
  let at = committed;
  let openFrom = committed;
  const add = (openRun: number, doneRun: number): boolean => {
    const text = `${openRun.toString(36)},${doneRun.toString(36)}`;
    if (length + text.length + 1 > MAX_METADATA_LENGTH) return false;
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

/** The offsets above a commit that its metadata reports as done. */
export class DoneRuns {
  /** Start and end of each run, in order. */
  readonly #runs: (readonly [from: number, to: number])[] = [];

  constructor(committed: number, metadata: string) {
    const [version, ...lengths] = metadata.split(",");
    if (version !== "1") return;
    let at = committed;
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

  /** The number of offsets that are done. */
  get count(): number {
    return this.#runs.reduce((sum, [from, to]) => sum + to - from, 0);
  }

  get empty(): boolean {
    return this.#runs.length === 0;
  }
}
