import { Decompressed } from "./decompressed.ts";

const MAGIC = 0x184d2204;
/** Bits of the frame's flags. */
const HAS_BLOCK_CHECKSUMS = 0b1_0000;
const HAS_CONTENT_SIZE = 0b1000;
const HAS_CONTENT_CHECKSUM = 0b100;
const HAS_DICTIONARY = 0b1;
const IS_UNCOMPRESSED = 0x8000_0000;
const MIN_MATCH = 4;

/**
 * Decompresses LZ4 frames (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md), as Kafka's producers write them.
 * Checksums are not verified: the batch has its own.
 *
 * @throws RangeError for what is not LZ4, or has more than `limit` bytes
 */
export function lz4Decompress(compressed: Buffer, limit: number): Buffer {
  const output = new Decompressed(limit);
  let at = 0;
  while (at < compressed.length) {
    if (compressed.readUInt32LE(at) !== MAGIC) throw new RangeError("this is not an LZ4 frame");
    const flags = compressed.readUInt8(at + 4);
    at += 7;
    if ((flags & HAS_CONTENT_SIZE) !== 0) at += 8;
    if ((flags & HAS_DICTIONARY) !== 0) at += 4;
    for (;;) {
      const size = compressed.readUInt32LE(at);
      at += 4;
      if (size === 0) break;
      const length = size % IS_UNCOMPRESSED;
      if (at + length > compressed.length) throw new RangeError("an LZ4 block ends past the end of the buffer");
      if (size >= IS_UNCOMPRESSED) output.append(compressed, at, length);
      else readBlock(compressed.subarray(at, at + length), output);
      at += length;
      if ((flags & HAS_BLOCK_CHECKSUMS) !== 0) at += 4;
    }
    if ((flags & HAS_CONTENT_CHECKSUM) !== 0) at += 4;
  }
  return output.bytes;
}

/** A block is a sequence of literals and of copies of what came before, in this block or an earlier one. */
function readBlock(block: Buffer, output: Decompressed): void {
  let at = 0;
  const extended = (length: number): number => {
    if (length < 15) return length;
    let total = length;
    for (;;) {
      const byte = block.readUInt8(at);
      at += 1;
      total += byte;
      if (byte < 255) return total;
    }
  };
  while (at < block.length) {
    const token = block.readUInt8(at);
    at += 1;
    const literals = extended(token >>> 4);
    output.append(block, at, literals);
    at += literals;
    // The last sequence has no copy.
    if (at >= block.length) return;
    const distance = block.readUInt16LE(at);
    at += 2;
    const length = extended(token & 15) + MIN_MATCH;
    output.repeat(distance, length);
  }
}
