/** Longer texts are not worth caching. */
const MAX_CACHED_TEXT_BYTES = 64;
const MAX_CACHED_TEXTS = 2_000;

/** Reads the numbers and texts of Kafka's protocol in sequence. Reading past the end throws a `RangeError`. */
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

  /** Offsets and times are far below 2^53, so that a number is exact. */
  int64(): number {
    const value = this.buffer.readInt32BE(this.at) * 4_294_967_296 + this.buffer.readUInt32BE(this.at + 4);
    this.at += 8;
    return value;
  }

  string(): string {
    const length = this.int16();
    return length <= 0 ? "" : this.buffer.toString("utf8", this.at, (this.at += length));
  }

  /** A zigzag-encoded number of up to 64 bits. */
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
      if (byte === undefined) throw new RangeError("a number ends past the end of the buffer");
      this.at += 1;
      value += (byte & 127) * scale;
      if (byte < 128) break;
      scale *= 128;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** Length-prefixed bytes, as a view; `null` if the length is negative. */
  bytes(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    if (this.at + length > this.buffer.length) throw new RangeError("bytes end past the end of the buffer");
    return this.buffer.subarray(this.at, (this.at += length));
  }

  /** A length-prefixed text. Short ones are cached, because the same few come again and again. */
  text(): string {
    const length = this.varint();
    const from = this.at;
    const to = from + Math.max(length, 0);
    if (to > this.buffer.length) throw new RangeError("a text ends past the end of the buffer");
    this.at = to;
    if (length > MAX_CACHED_TEXT_BYTES) return this.buffer.toString("utf8", from, to);
    let hash = length;
    for (let at = from; at < to; at += 1) hash = (Math.imul(hash, 31) + (this.buffer[at] ?? 0)) | 0;
    const cached = cache.get(hash);
    if (cached !== undefined && isSame(cached.bytes, this.buffer, from, length)) return cached.text;
    const text = this.buffer.toString("utf8", from, to);
    if (cache.size >= MAX_CACHED_TEXTS) cache.clear();
    cache.set(hash, { bytes: Buffer.from(this.buffer.subarray(from, to)), text });
    return text;
  }
}

const cache = new Map<number, { readonly bytes: Buffer; readonly text: string }>();

function isSame(bytes: Buffer, buffer: Buffer, from: number, length: number): boolean {
  if (bytes.length !== length) return false;
  for (let index = 0; index < length; index += 1) if (bytes[index] !== buffer[from + index]) return false;
  return true;
}
