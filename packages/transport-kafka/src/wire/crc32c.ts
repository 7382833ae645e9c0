/** The Castagnoli polynomial, its bits reversed. */
const POLYNOMIAL = 0x82f63b78;
/** So many bytes go into the sum in one step: a third faster than four. */
const STEP = 16;

/** The effect of each byte value on the sum, by how many bytes follow it. */
const TABLES = Array.from({ length: STEP }, () => new Int32Array(256));

for (let value = 0; value < 256; value += 1) {
  let sum = value;
  for (let bit = 0; bit < 8; bit += 1) sum = (sum & 1) === 1 ? (sum >>> 1) ^ POLYNOMIAL : sum >>> 1;
  tableOf(0)[value] = sum;
}
for (let following = 1; following < STEP; following += 1) {
  for (let value = 0; value < 256; value += 1) {
    const sum = at(tableOf(following - 1), value);
    tableOf(following)[value] = (sum >>> 8) ^ at(tableOf(0), sum & 0xff);
  }
}

const [T0, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15] = TABLES as Tables;

/** Computes the CRC-32C of a slice of a buffer. */
export function crc32c(bytes: Uint8Array, from: number, to: number): number {
  let sum = -1;
  let index = from;
  for (; index + STEP <= to; index += STEP) {
    sum ^= at(bytes, index) | (at(bytes, index + 1) << 8) | (at(bytes, index + 2) << 16) | (at(bytes, index + 3) << 24);
    sum =
      at(T15, sum & 0xff) ^
      at(T14, (sum >>> 8) & 0xff) ^
      at(T13, (sum >>> 16) & 0xff) ^
      at(T12, sum >>> 24) ^
      at(T11, at(bytes, index + 4)) ^
      at(T10, at(bytes, index + 5)) ^
      at(T9, at(bytes, index + 6)) ^
      at(T8, at(bytes, index + 7)) ^
      at(T7, at(bytes, index + 8)) ^
      at(T6, at(bytes, index + 9)) ^
      at(T5, at(bytes, index + 10)) ^
      at(T4, at(bytes, index + 11)) ^
      at(T3, at(bytes, index + 12)) ^
      at(T2, at(bytes, index + 13)) ^
      at(T1, at(bytes, index + 14)) ^
      at(T0, at(bytes, index + 15));
  }
  for (; index < to; index += 1) sum = (sum >>> 8) ^ at(T0, (sum ^ at(bytes, index)) & 0xff);
  return ~sum >>> 0;
}

type T = Int32Array;
type Tables = [T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T];

function tableOf(following: number): Int32Array {
  return TABLES[following] as Int32Array;
}

function at(values: Uint8Array | Int32Array, index: number): number {
  return values[index] as number;
}
