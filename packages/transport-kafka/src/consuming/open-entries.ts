import type { Entry } from "./partition-log.ts";

/** So many places may be empty before the others move together. */
const MAX_EMPTY = 1_024;

/** The entries of a partition that are delivered and not done, in the order of their offsets. A map would cost more memory and time. */
export class OpenEntries {
  #places: (Entry | undefined)[] = [];
  /** The first place that is not empty. */
  #first = 0;
  #size = 0;

  get first(): Entry | undefined {
    return this.#places[this.#first];
  }

  /** Adds one behind all others. */
  add(entry: Entry): void {
    entry.place = this.#places.length;
    this.#places.push(entry);
    this.#size += 1;
  }

  /** Puts another entry of the same offset in an entry's place. */
  replace(entry: Entry, by: Entry): void {
    by.place = entry.place;
    this.#places[entry.place] = by;
  }

  delete(entry: Entry): void {
    const places = this.#places;
    if (places[entry.place] !== entry) return;
    places[entry.place] = undefined;
    this.#size -= 1;
    while (this.#first < places.length && places[this.#first] === undefined) this.#first += 1;
    if (places.length - this.#size > MAX_EMPTY + this.#size) this.#compact();
  }

  *[Symbol.iterator](): Generator<Entry> {
    for (let at = this.#first; at < this.#places.length; at += 1) {
      const entry = this.#places[at];
      if (entry !== undefined) yield entry;
    }
  }

  *offsets(): Generator<number> {
    for (const { record } of this) yield record.offset;
  }

  #compact(): void {
    this.#places = [...this];
    this.#first = 0;
    for (const [place, entry] of this.#places.entries()) if (entry !== undefined) entry.place = place;
  }
}
