import type { DescribedError } from "../errors/describe-error.ts";
import type { Output } from "./output.ts";
import type { Paint } from "./paint.ts";
import { safe, safeLines } from "./safe-text.ts";

/** How an error is reported. */
export interface ReportOptions {
  readonly json: boolean;
  readonly verbose: boolean;
  /** Takes secrets out of a text. */
  readonly redact: (text: string) => string;
}

/** Writes an error to standard error: a line with a hint, and its stack where it is wanted; or one JSON document. */
export async function reportError(
  output: Output,
  paint: Paint,
  { code, message, hint, stack }: DescribedError,
  { json, verbose, redact }: ReportOptions,
): Promise<void> {
  const text = redact(message).replaceAll(/\s*\n\s*/g, " ");
  const trace = verbose && stack !== undefined ? redact(stack) : undefined;
  if (json) {
    const hinted = hint === undefined ? text : `${text} ${redact(hint)}`;
    await output.json({ error: { code, message: hinted, ...(trace === undefined ? {} : { stack: trace }) } });
    return;
  }
  await output.line(`${paint("red", "papa:")} ${safe(text)}${hint === undefined ? "" : ` ${safe(redact(hint))}`}`);
  if (trace !== undefined) for (const line of safeLines(trace)) await output.line(paint("dim", line));
}
