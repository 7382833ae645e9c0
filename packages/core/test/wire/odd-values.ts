let nested: unknown = ["x"];
for (let depth = 0; depth < 100_000; depth += 1) nested = [nested];

/** What a broker's client may give as a header's value, or a stranger put there. */
export const ODD_VALUES: readonly unknown[] = [
  "",
  " ",
  "x",
  "-5",
  "0",
  "1.5",
  "1e999",
  "99999999999999999999",
  "\u0000",
  "\ud800",
  "line\nbreak",
  "x".repeat(1_048_576),
  0,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  1e300,
  10n,
  true,
  null,
  undefined,
  Symbol("odd"),
  () => "function",
  {},
  { toString: () => "2" },
  { toString: null, valueOf: null },
  Object.create(null),
  [],
  [[]],
  ["2", "3"],
  [null],
  nested,
  Buffer.from("2"),
  Buffer.from([0xff, 0xfe]),
  new Uint8Array(0),
  new Date(0),
  new Map([["a", "b"]]),
];

export function titleOf(value: unknown): string {
  if (typeof value === "string") return value.length > 20 ? `a text of ${value.length}` : JSON.stringify(value);
  return Object.prototype.toString.call(value);
}
