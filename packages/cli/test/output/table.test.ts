import { describe, expect, it } from "vitest";
import { type Column, plainLine, tableLines } from "../../src/output/table.ts";

interface Row {
  readonly name: string;
  readonly dead: number;
  readonly error: string;
}

const columns: readonly Column<Row>[] = [
  { title: "NAME", text: ({ name }) => name },
  {
    title: "DEAD",
    text: ({ dead }) => String(dead),
    shown: ({ dead }) => dead.toLocaleString("en-US"),
    align: "right",
  },
  { title: "ERROR", text: ({ error }) => error },
];
const rows: readonly Row[] = [
  { name: "a", dead: 12_345, error: "Error: no route to host at all" },
  { name: "longer", dead: 1, error: "\u001b[2J" },
];
const plain = (_style: unknown, text: string) => text;

describe("a table", () => {
  it("lines up, fits the terminal, and shows control characters", () => {
    const long = { name: "a", dead: 12_345, error: `Error: ${"no route to host ".repeat(5)}` };
    expect(tableLines(columns, [long, ...rows], 90, plain)).toEqual([
      "NAME      DEAD  ERROR",
      `a       12,345  Error: ${"no route to host ".repeat(3)}no route to hos…`,
      "a       12,345  Error: no route to host at all",
      "longer       1  \\x1b[2J",
    ]);
  });

  it("says more of an error than fits a narrow terminal, which wraps it", () => {
    expect(tableLines(columns, rows, 30, plain)[1]).toBe("a       12,345  Error: no route to host at all");
  });

  it("as plain lines has exact values with tabs between, and nothing is cut", () => {
    expect(rows.map((row) => plainLine(columns, row))).toEqual([
      "a\t12345\tError: no route to host at all",
      "longer\t1\t\\x1b[2J",
    ]);
  });
});
