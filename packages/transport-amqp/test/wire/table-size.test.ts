import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { cutText, MAX_TABLE_BYTES, tableSize } from "../../src/wire/table-size.ts";

const require = createRequire(import.meta.url);
// What encodes, which the package does not export.
const { encodeTable } = require(join(dirname(require.resolve("amqplib")), "lib/codec.js")) as {
  encodeTable: (buffer: Buffer, table: object, offset: number) => number;
};
const encodedSize = (table: object) => encodeTable(Buffer.alloc(1_048_576), table, 0);

// amqplib takes a table with a field "!" for a typed value.
const name = fc.string({ unit: "grapheme", maxLength: 20 }).filter((each) => each !== "!");
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string({ unit: "grapheme" }),
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true, min: -(2 ** 49), max: 2 ** 49 }),
    fc.integer(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.constant({ "!": "timestamp", value: 1 }),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(name, tie("value"), { maxKeys: 5 }),
  ),
}));

test("D5 text takes exactly the measured bytes, and nothing takes more", () => {
  fc.assert(
    fc.property(fc.dictionary(name, fc.string({ unit: "grapheme" })), (table) => {
      expect(tableSize(table)).toBe(encodedSize(table));
    }),
  );
  fc.assert(
    fc.property(fc.dictionary(name, value), (table) => {
      expect(tableSize(table)).toBeGreaterThanOrEqual(encodedSize(table));
    }),
    { numRuns: 1_000 },
  );
});

test("D5 amqplib sends as much as is claimed and no more", () => {
  const room = MAX_TABLE_BYTES - tableSize({ a: "" });
  const buffer = Buffer.alloc(65_536);
  expect(encodeTable(buffer, { a: "x".repeat(room) }, 0)).toBe(65_536);
  expect(() => encodeTable(buffer, { a: "x".repeat(room + 1) }, 0)).toThrow(RangeError);
});

test("D5 text is cut between characters", () => {
  expect(cutText("aé€😀", 100)).toBe("aé€😀");
  expect([0, 1, 2, 3, 5, 6, 9, 10].map((bytes) => cutText("aé€😀", bytes))).toEqual([
    "",
    "a",
    "a",
    "aé",
    "aé",
    "aé€",
    "aé€",
    "aé€😀",
  ]);
  expect(cutText("x", -5)).toBe("");
});
