/**
 * What comes from events and brokers is shown and never obeyed: a terminal would follow an escape sequence, and characters
 * that are not seen (such as those that turn the direction of writing) would make a line read as another than it is. Of the
 * invisible ones only the joiner stays, of which emoji are made.
 */
const UNSAFE = /(?!\u200d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A text as one line that no terminal obeys. */
export function safe(text: string): string {
  return text.replaceAll(UNSAFE, (found) => SHORT[found] ?? escaped(found));
}

/** A text whose line breaks stay. */
export function safeLines(text: string): string[] {
  return text.split(/\r?\n/).map((line) => safe(line.replaceAll("\t", "  ")));
}

/** A value as JSON on one line: the same value to whoever parses it, and harmless to a terminal. */
export function safeJson(value: unknown): string {
  return escapedInJson(JSON.stringify(value));
}

/** A value as JSON to be read by people. */
export function safeJsonLines(value: unknown): string[] {
  return JSON.stringify(value, undefined, 2).split("\n").map(escapedInJson);
}

/** JSON has such characters inside of strings only, where an escape means the same. */
function escapedInJson(json: string): string {
  return json.replaceAll(UNSAFE, (found) =>
    Array.from({ length: found.length }, (_, index) => `\\u${hex(found.charCodeAt(index), 4)}`).join(""),
  );
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${hex(code, 2)}`;
  return code <= 0xffff ? `\\u${hex(code, 4)}` : `\\u{${hex(code, 1)}}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
