import type { Output } from "./output.ts";
import type { Paint } from "./paint.ts";
import { safe } from "./safe-text.ts";

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  /** What programs get: exact, such as a time in ISO 8601. */
  readonly text: (row: Row) => string;
  /** What people get instead, such as "2 h ago". */
  readonly shown?: (row: Row) => string;
  readonly align?: "right";
  readonly style?: (row: Row) => Parameters<Paint>[0] | undefined;
}

const GAP = "  ";
/** The last column says what matters most, such as an error: a narrow terminal wraps it sooner than it is cut to nothing. */
const MIN_LAST_WIDTH = 60;

/**
 * Writes rows as a table to people, and to programs as plain lines: values with tabs between, no title, nothing cut.
 */
export async function writeTable<Row>(
  output: Output,
  paint: Paint,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Promise<void> {
  if (!output.isTerminal) {
    for (const row of rows) await output.line(plainLine(columns, row));
    return;
  }
  for (const line of tableLines(columns, rows, output.width, paint)) await output.line(line);
}

/** A row as programs get it. A tab in a value is shown as `\t`, so that it separates nothing. */
export function plainLine<Row>(columns: readonly Column<Row>[], row: Row): string {
  return columns.map(({ text }) => safe(text(row))).join("\t");
}

/** The lines of a table; the last column takes what room is left, at least {@link MIN_LAST_WIDTH}, and is cut there. */
export function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
  paint: Paint,
): string[] {
  const cells = rows.map((row) => columns.map(({ text, shown = text }) => safe(shown(row))));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((row) => lengthOf(row[index] ?? ""))),
  );
  const before = widths.slice(0, -1).reduce((sum, each) => sum + each + GAP.length, 0);
  const last = Math.max(MIN_LAST_WIDTH, width - before);
  const lay = (texts: readonly string[], style: (index: number) => Parameters<Paint>[0] | undefined) =>
    columns
      .map(({ align }, index) => {
        const isLast = index === columns.length - 1;
        const text = isLast ? cut(texts[index] ?? "", last) : (texts[index] ?? "");
        const padding = " ".repeat(Math.max(0, (widths[index] ?? 0) - lengthOf(text)));
        const look = style(index);
        const painted = look === undefined ? text : paint(look, text);
        if (align === "right") return padding + painted;
        return isLast ? painted : painted + padding;
      })
      .join(GAP)
      .trimEnd();
  const titles = lay(
    columns.map(({ title }) => title),
    () => "bold",
  );
  return [titles, ...rows.map((row, at) => lay(cells[at] ?? [], (index) => columns[index]?.style?.(row)))];
}

/** Cuts a text to so many characters, and shows that it was. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}

function lengthOf(text: string): number {
  return [...text].length;
}
