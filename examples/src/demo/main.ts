import { constants } from "node:os";
import { isPapaError } from "@papa-events/core";
import { clean } from "./clean.ts";
import { demo } from "./demo.ts";
import { HELP, readOptions, WrongOption } from "./options.ts";

/** Errors that say that what was asked for is wrong, not that it went wrong. */
const MISUSE = ["unknown-scheme", "invalid-option", "transport-not-installed"] as const;

const interrupted = new AbortController();
// Once: a second signal ends the process at once.
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interrupted.abort(name));
// Nobody reads on, as after `| head`.
process.stdout.on("error", () => interrupted.abort("SIGPIPE"));

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(HELP);
  else if (options.clean) await clean(options.broker);
  else process.exitCode = await demo(options, interrupted.signal);
} catch (error) {
  process.exitCode = report(error);
}

/** Says in one line what went wrong, and gives the exit code for it. */
function report(error: unknown): number {
  const { aborted, reason } = interrupted.signal;
  if (aborted) {
    console.error("\nInterrupted; the app has stopped cleanly.");
    return 128 + constants.signals[reason as NodeJS.Signals];
  }
  const { message } = error as Error;
  const isMisuse = error instanceof WrongOption || MISUSE.some((code) => isPapaError(error, code));
  console.error(isPapaError(error) ? `${error.code}: ${message}` : message);
  return isMisuse ? 2 : 1;
}
