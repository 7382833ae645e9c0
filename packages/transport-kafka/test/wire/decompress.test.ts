import { expect, test } from "vitest";
import { lz4Decompress } from "../../src/wire/lz4.ts";
import { snappyDecompress } from "../../src/wire/snappy.ts";

const FRAME = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]);
const END = Buffer.alloc(4);

function lz4(...block: number[]): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(block.length);
  return Buffer.concat([FRAME, size, Buffer.from(block), END]);
}

test("LZ4: literals, and a copy that overlaps itself", () => {
  const text = [...Buffer.from("ab")];
  expect(lz4Decompress(lz4(0x22, ...text, 2, 0, 0x10, 0x21), 100).toString()).toBe("abababab!");
});

test("Snappy: a literal, and copies with one and two bytes of distance", () => {
  const block = Buffer.from([10, 0x04, 0x61, 0x62, 0x01, 0x02, 0x0e, 0x02, 0x00]);
  expect(snappyDecompress(block, 100).toString()).toBe("ababababab");
});

test("what is cut off, reaches back too far or is too large is refused", () => {
  const distant = lz4(0x22, 0x61, 0x62, 9, 0, 0x10, 0x21);
  expect(() => lz4Decompress(distant, 100)).toThrow(RangeError);
  expect(() => lz4Decompress(lz4(0x1f, 0x61, 1, 0, 255, 255, 0, 0x10, 0x21), 300)).toThrow("more than 300 bytes");
  expect(() => lz4Decompress(Buffer.from("no LZ4 at all"), 100)).toThrow(RangeError);
  expect(() => lz4Decompress(lz4(0xf0, 200), 100)).toThrow(RangeError);
  expect(() => snappyDecompress(Buffer.from([4, 0x0c, 0x61]), 100)).toThrow(RangeError);
  expect(() => snappyDecompress(Buffer.from([8, 0x01, 0x09]), 100)).toThrow(RangeError);
});
