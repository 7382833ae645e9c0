import { stripVTControlCharacters, styleText } from "node:util";

/** Text for people: styles only where a terminal shows them (`NO_COLOR` and pipes are respected). */
const style = (format: Parameters<typeof styleText>[0]) => (text: string) =>
  styleText(format, text, { stream: process.stdout });

export const bold = style("bold");
export const dim = style("dim");
export const green = style("green");
export const red = style("red");
export const yellow = style("yellow");

export type Align = "left" | "right";

/** A table's cells as lines, columns as wide as their widest cell, each indented by two spaces. */
export function tableLines(rows: readonly (readonly string[])[], align: readonly Align[]): readonly string[] {
  const widths = align.map((_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ""))));
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      const space = " ".repeat(Math.max((widths[column] ?? 0) - widthOf(cell), 0));
      return align[column] === "right" ? space + cell : cell + space;
    });
    return `  ${cells.join("  ")}`.trimEnd();
  });
}

/** Text without styles, cut to a number of characters. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** Text without styles as lines of at most so many characters, broken between words where it can be. */
export function wrapped(text: string, width: number): readonly string[] {
  return text.match(new RegExp(`\\S.{0,${width - 1}}(?=\\s|$)|\\S{${width}}`, "g")) ?? [];
}

/** Milliseconds for people. */
export function shownTime(milliseconds: number): string {
  if (milliseconds < 1) return "<1 ms";
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}

export function shownCount(count: number): string {
  return count.toLocaleString("en");
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}
