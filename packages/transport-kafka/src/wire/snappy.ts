import { Decompressed } from "./decompressed.ts";

/** The Java client writes blocks behind this header: the magic and two version numbers. */
const FRAME_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const FRAME_HEADER_BYTES = 16;

/**
 * Decompresses Snappy (https://github.com/google/snappy/blob/main/format_description.txt): one block alone, or the sequence of
 * blocks that the Java client writes.
 *
 * @throws RangeError for what is not Snappy, or has more than `limit` bytes
 */
export function snappyDecompress(compressed: Buffer, limit: number): Buffer {
  const output = new Decompressed(limit);
  if (!compressed.subarray(0, FRAME_MAGIC.length).equals(FRAME_MAGIC)) {
    readBlock(compressed, output);
    return output.bytes;
  }
  for (let at = FRAME_HEADER_BYTES; at < compressed.length; ) {
    const length = compressed.readInt32BE(at);
    at += 4;
    if (length < 0 || at + length > compressed.length)
      throw new RangeError("a Snappy block ends past the end of the buffer");
    // A copy reaches back no further than to its block's beginning, so that one output serves all.
    readBlock(compressed.subarray(at, at + length), output);
    at += length;
  }
  return output.bytes;
}

function readBlock(block: Buffer, output: Decompressed): void {
  let at = 0;
  // The decompressed length, which is not needed.
  while (block.readUInt8(at) >= 128) at += 1;
  at += 1;
  while (at < block.length) {
    const tag = block.readUInt8(at);
    at += 1;
    switch (tag & 3) {
      case 0: {
        let length = (tag >>> 2) + 1;
        if (length > 60) {
          const bytes = length - 60;
          length = block.readUIntLE(at, bytes) + 1;
          at += bytes;
        }
        output.append(block, at, length);
        at += length;
        break;
      }
      case 1:
        output.repeat(((tag >>> 5) << 8) | block.readUInt8(at), ((tag >>> 2) & 7) + 4);
        at += 1;
        break;
      case 2:
        output.repeat(block.readUInt16LE(at), (tag >>> 2) + 1);
        at += 2;
        break;
      default:
        output.repeat(block.readUInt32LE(at), (tag >>> 2) + 1);
        at += 4;
    }
  }
}
