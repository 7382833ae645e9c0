/** The Castagnoli polynomial, its bits reversed. */
const POLYNOMIAL = 0x82f63b78;

/** The effect of each byte value on the sum, by how many bytes follow it. */
const TABLES = [0, 1, 2, 3].map(() => new Int32Array(256)) as [Int32Array, Int32Array, Int32Array, Int32Array];

for (let value = 0; value < 256; value += 1) {
  let sum = value;
  for (let bit = 0; bit < 8; bit += 1) sum = (sum & 1) === 1 ? (sum >>> 1) ^ POLYNOMIAL : sum >>> 1;
  TABLES[0][value] = sum;
}
for (const [index, table] of TABLES.entries()) {
  const before = TABLES[index - 1];
  if (before === undefined) continue;
  for (let value = 0; value < 256; value += 1) {
    const sum = tableAt(before, value);
    table[value] = (sum >>> 8) ^ tableAt(TABLES[0], sum & 0xff);
  }
}

/** Computes the CRC-32C of a slice of a buffer, four bytes at a time. */
export function crc32c(bytes: Uint8Array, from: number, to: number): number {
  const [last, third, second, first] = TABLES;
  let sum = -1;
  let at = from;
  for (; at + 4 <= to; at += 4) {
    sum ^=
      byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24);
    sum =
      tableAt(first, sum & 0xff) ^
      tableAt(second, (sum >>> 8) & 0xff) ^
      tableAt(third, (sum >>> 16) & 0xff) ^
      tableAt(last, sum >>> 24);
  }
  for (; at < to; at += 1) sum = (sum >>> 8) ^ tableAt(last, (sum ^ byteAt(bytes, at)) & 0xff);
  return ~sum >>> 0;
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

function tableAt(table: Int32Array, at: number): number {
  return table[at] as number;
}
