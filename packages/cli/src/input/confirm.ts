import type { Readable } from "node:stream";
import { interrupted, wrongUse } from "../errors/cli-error.ts";
import type { Output } from "../output/output.ts";
import { safe } from "../output/safe-text.ts";

/** Standard input, that may be a terminal. */
export interface InputStream extends Readable {
  readonly isTTY?: boolean | undefined;
}

/** Whether there is somebody to ask. */
export function canAsk(stdin: InputStream, output: Output): boolean {
  return stdin.isTTY === true && output.isTerminal;
}

/** @throws CliError `wrong-use` where nobody can be asked */
export function assertCanAsk(stdin: InputStream, output: Output): void {
  if (!canAsk(stdin, output))
    throw wrongUse("This asks before it acts, and there is no terminal to ask in.", "Give --yes to act without.");
}

/**
 * Asks before something is done; no is the answer of who only presses Enter.
 *
 * @throws CliError `wrong-use` where nobody can be asked, `interrupted`
 */
export async function confirm(
  question: string,
  { stdin, output, signal }: { readonly stdin: InputStream; readonly output: Output; readonly signal: AbortSignal },
): Promise<boolean> {
  assertCanAsk(stdin, output);
  // Loaded when there is a question: most commands ask none.
  const prompts = await import("@clack/prompts");
  const answer = await prompts.confirm({
    message: safe(question),
    initialValue: false,
    input: stdin,
    output: output.stream,
    signal,
    withGuide: false,
  });
  if (prompts.isCancel(answer)) throw interrupted("Nothing was done.");
  return answer;
}
