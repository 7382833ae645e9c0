import { EXIT } from "./exit-code.ts";

/** An error of the command line itself: one line, a hint, an exit code. */
export class CliError extends Error {
  /** Stable, for scripts; the message is not. */
  readonly code: "wrong-use" | "not-found" | "interrupted" | "invalid-input" | "editor-failed" | "output-failed";
  readonly exitCode: number;
  /** What to do about it. */
  readonly hint: string | undefined;

  constructor(code: CliError["code"], message: string, exitCode: number, hint?: string) {
    super(message);
    this.name = "CliError";
    this.code = code;
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

/** The command was given wrongly. */
export function wrongUse(message: string, hint?: string): CliError {
  return new CliError("wrong-use", message, EXIT.wrongUse, hint);
}

/** What was given to be sent cannot be: a file, a line, a payload. */
export function invalidInput(message: string, hint?: string): CliError {
  return new CliError("invalid-input", message, EXIT.wrongUse, hint);
}

/** What was asked for is not there. */
export function notFound(message: string, hint?: string): CliError {
  return new CliError("not-found", message, EXIT.found, hint);
}

/** What was printed did not arrive, such as on a full disk. */
export function unwritable(error: Error): CliError {
  return new CliError("output-failed", `The output could not be written: ${error.message}.`, EXIT.found);
}

/** Ended by Ctrl-C before anything was done, or with nothing to say about how far it came. */
export function interrupted(message = "Interrupted."): CliError {
  return new CliError("interrupted", message, EXIT.interrupted);
}

/** An error in the middle of something long, with how far it had come. */
export class FailedMidway extends Error {
  /** How far it had come, as a sentence. */
  readonly progress: string;

  constructor(cause: unknown, progress: string) {
    super("failed midway", { cause });
    this.name = "FailedMidway";
    this.progress = progress;
  }
}
