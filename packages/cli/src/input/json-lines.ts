import type { FileHandle } from "node:fs/promises";
import { invalidInput } from "../errors/cli-error.ts";

/** The longest line that is read: far more than any broker carries. */
const MAX_LINE_BYTES = 256 * 1_048_576;
const NEWLINE = 0x0a;

/** A line of a file of JSON lines, parsed. */
export interface JsonLine {
  /** Counted from 1, as editors do. */
  readonly number: number;
  /** Where it is in the file. */
  readonly offset: number;
  readonly length: number;
  readonly value: Readonly<Record<string, unknown>>;
}

/**
 * Reads a file of JSON lines, one object each; empty lines are passed over. Holds one line at a time.
 *
 * @throws CliError `invalid-input`, which names the line
 */
export async function* jsonLines(file: FileHandle): AsyncGenerator<JsonLine, void, void> {
  let number = 0;
  for await (const { bytes, offset } of lines(file)) {
    number += 1;
    const text = bytes.toString().replace(number === 1 ? /^\ufeff/ : "", "");
    if (text.trim() === "") continue;
    yield { number, offset, length: bytes.length, value: objectOf(text, number) };
  }
}

function objectOf(text: string, number: number): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalidLine(number, `it is not JSON: ${(error as Error).message}`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalidLine(number, "a JSON object is needed");
}

/** An error that names the line. */
export function invalidLine(number: number, problem: string): Error {
  return invalidInput(`Line ${number}: ${problem}.`, "Nothing was sent.");
}

async function* lines(file: FileHandle): AsyncGenerator<{ readonly bytes: Buffer; readonly offset: number }> {
  let rest: Buffer[] = [];
  let length = 0;
  let offset = 0;
  for await (const chunk of file.createReadStream({ start: 0, autoClose: false }) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      const bytes = Buffer.concat([...rest, chunk.subarray(from, end)]);
      yield { bytes, offset };
      offset += bytes.length + 1;
      rest = [];
      length = 0;
      from = end + 1;
    }
    rest.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > MAX_LINE_BYTES) throw invalidInput("A line has more than 256 MiB: this is not a file of JSON lines.");
  }
  if (length > 0) yield { bytes: Buffer.concat(rest), offset };
}
