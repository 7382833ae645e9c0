/** The most bytes of a text worth remembering. */
const REMEMBERED = 64;
const MOST_REMEMBERED = 2_000;

/** Reads numbers and texts of Kafka's protocol one after the other. Past the end it throws a `RangeError`. */
export class ByteReader {
  at: number;
  readonly buffer: Buffer;

  constructor(buffer: Buffer, at = 0) {
    this.buffer = buffer;
    this.at = at;
  }

  int8(): number {
    const value = this.buffer.readInt8(this.at);
    this.at += 1;
    return value;
  }

  int16(): number {
    const value = this.buffer.readInt16BE(this.at);
    this.at += 2;
    return value;
  }

  int32(): number {
    const value = this.buffer.readInt32BE(this.at);
    this.at += 4;
    return value;
  }

  /** Offsets and times are far below 2^53. */
  int64(): number {
    const value = this.buffer.readInt32BE(this.at) * 4_294_967_296 + this.buffer.readUInt32BE(this.at + 4);
    this.at += 8;
    return value;
  }

  string(): string {
    const length = this.int16();
    return length <= 0 ? "" : this.buffer.toString("utf8", this.at, (this.at += length));
  }

  /** A number in zigzag form, of up to 64 bits. */
  varint(): number {
    const { buffer } = this;
    const first = buffer[this.at];
    if (first !== undefined && first < 128) {
      this.at += 1;
      return (first >>> 1) ^ -(first & 1);
    }
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = buffer[this.at];
      if (byte === undefined) throw new RangeError("a number ends after the end");
      this.at += 1;
      value += (byte & 127) * scale;
      if (byte < 128) break;
      scale *= 128;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** Bytes with their length before them, as a view; `null` for none. */
  bytes(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    if (this.at + length > this.buffer.length) throw new RangeError("bytes end after the end");
    return this.buffer.subarray(this.at, (this.at += length));
  }

  /** A text with its length before it; the same few are asked for again and again, and are not made anew. */
  text(): string {
    const length = this.varint();
    const from = this.at;
    const to = from + Math.max(length, 0);
    if (to > this.buffer.length) throw new RangeError("a text ends after the end");
    this.at = to;
    if (length > REMEMBERED) return this.buffer.toString("utf8", from, to);
    let hash = length;
    for (let at = from; at < to; at += 1) hash = (Math.imul(hash, 31) + (this.buffer[at] ?? 0)) | 0;
    const known = remembered.get(hash);
    if (known !== undefined && isSame(known.bytes, this.buffer, from, length)) return known.text;
    const text = this.buffer.toString("utf8", from, to);
    if (remembered.size >= MOST_REMEMBERED) remembered.clear();
    remembered.set(hash, { bytes: Buffer.from(this.buffer.subarray(from, to)), text });
    return text;
  }
}

const remembered = new Map<number, { readonly bytes: Buffer; readonly text: string }>();

function isSame(bytes: Buffer, buffer: Buffer, from: number, length: number): boolean {
  if (bytes.length !== length) return false;
  for (let index = 0; index < length; index += 1) if (bytes[index] !== buffer[from + index]) return false;
  return true;
}
