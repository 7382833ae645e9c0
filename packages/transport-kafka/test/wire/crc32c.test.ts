import { expect, test } from "vitest";
import { crc32c } from "../../src/wire/crc32c.ts";

test("P1 the checksum is CRC-32C", () => {
  const check = Buffer.from("..123456789");
  expect(crc32c(check, 2, check.length)).toBe(0xe3069283);
  expect(crc32c(Buffer.alloc(32), 0, 32)).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(0), 0, 0)).toBe(0);
});
