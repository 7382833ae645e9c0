/** Bytes that grow up to a limit. */
export class Decompressed {
  readonly #limit: number;
  #buffer = Buffer.allocUnsafe(16_384);
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  append(source: Buffer, from: number, length: number): void {
    if (from + length > source.length) throw new RangeError("literals end past the end of the buffer");
    this.#grow(length);
    source.copy(this.#buffer, this.#length, from, from + length);
    this.#length += length;
  }

  /** Appends what was written `distance` bytes ago; a copy may overlap itself. */
  repeat(distance: number, length: number): void {
    if (distance <= 0 || distance > this.#length) throw new RangeError("a copy begins before the beginning");
    this.#grow(length);
    const start = this.#length;
    for (let done = 0; done < length; ) {
      const part = Math.min(distance + done, length - done);
      this.#buffer.copy(this.#buffer, start + done, start - distance, start - distance + part);
      done += part;
    }
    this.#length += length;
  }

  #grow(length: number): void {
    const needed = this.#length + length;
    if (needed > this.#limit) throw new RangeError(`it has more than ${this.#limit} bytes`);
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
