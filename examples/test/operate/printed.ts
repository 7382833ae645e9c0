import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const CLEAR_LINE = "\u001b[2K";

/** What a command printed, with what belongs to this machine and run put as on anybody's. */
export function presentable(output: string, url: string): string {
  const { host, search } = new URL(url);
  return output
    .split("\n")
    .map(asShown)
    .join("\n")
    .replaceAll(`${ROOT}packages/`, "/srv/shop/node_modules/@papa-events/")
    .replaceAll(host, "redis.internal:6379")
    .replaceAll(search, "");
}

/** A line as it stays on the terminal: without the progress bars that were there for a while. */
function asShown(line: string): string {
  const from = line.lastIndexOf(CLEAR_LINE);
  return line.slice(from < 0 ? 0 : from + CLEAR_LINE.length).trimEnd();
}

const CHANGING: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "<id>"],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/g, "<time>"],
  [/\b\d\d:\d\d:\d\d\.\d+\b/g, "<time>"],
  [/\b\d+ (?:s|m|h|d) ago\b|\bnow\b/g, "<age>"],
  // Columns are as wide as what is in them.
  [/ +/g, " "],
];

/** What is the same each time. */
function lasting(printed: string, roughly: boolean): string[] {
  const text = CHANGING.reduce((changed, [what, name]) => changed.replaceAll(what, name), printed);
  return (roughly ? text.replaceAll(/\d+/g, "<n>") : text).trim().split("\n");
}

/**
 * What a page says that a command prints, and what it did print, to be compared: less what changes each time. Where a table
 * had to cut a text, they are compared as far as both go.
 */
export function comparable(said: string, printed: string, roughly: boolean): { said: string[]; printed: string[] } {
  const [first, second] = [lasting(said, roughly), lasting(printed, roughly)];
  const cut = (line: string, other = "") => {
    if (!line.endsWith("…") && !other.endsWith("…")) return line;
    return line.slice(0, Math.min(line.length, other.length) - 1);
  };
  return {
    said: first.map((line, index) => cut(line, second[index])),
    printed: second.map((line, index) => cut(line, first[index])),
  };
}
