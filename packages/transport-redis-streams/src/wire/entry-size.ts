export function sizeOfEntry(fields: readonly Buffer[]): number {
  return fields.reduce((sum, { length }) => sum + length, 0);
}

/** How large the latest entries of a stream are: a read has no bound in bytes. Large ones count at once and are forgotten slowly. */
export class LatestEntrySize {
  #bytes: number;

  /** @param initial how large they are taken to be before any was read */
  constructor(initial: number) {
    this.#bytes = initial;
  }

  /** How many entries of that size have so many bytes; one at least. */
  countIn(bytes: number): number {
    return Math.max(1, Math.floor(bytes / this.#bytes));
  }

  note(bytes: number): void {
    this.#bytes = Math.max(bytes, this.#bytes - (this.#bytes - bytes) / 16, 1);
  }
}
