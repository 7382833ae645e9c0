/** How many numbers a page has. */
const SIZE = 4_096;

/** What is known of the events of a page: 7 bytes for each. */
interface Page {
  readonly flags: Uint8Array;
  /** Which process handled it first, and when, in milliseconds. */
  readonly handledBy: Uint16Array;
  readonly handledAt: Uint32Array;
}

/** Facts by number, in little memory: numbers that are near one another share a page. */
export class Pages {
  readonly #pages = new Map<number, Page>();

  /** The page of a number, and its place there. */
  at(number: number): readonly [Page, number] {
    const key = Math.floor(number / SIZE);
    let page = this.#pages.get(key);
    if (page === undefined) {
      page = {
        flags: new Uint8Array(SIZE),
        handledBy: new Uint16Array(SIZE),
        handledAt: new Uint32Array(SIZE),
      };
      this.#pages.set(key, page);
    }
    return [page, number % SIZE];
  }

  /** Every number with a flag, and its flags. */
  *all(): Iterable<readonly [number, number]> {
    for (const [key, { flags }] of this.#pages)
      for (const [place, flag] of flags.entries()) if (flag !== 0) yield [key * SIZE + place, flag];
  }
}
