import { type AnyPapaError, isPapaError } from "@papa-events/core";
import { CommanderError } from "commander";
import { CliError, FailedMidway } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";

/** An error as the user is to see it. */
export interface DescribedError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly exitCode: number;
  readonly stack?: string | undefined;
}

/** Says of any error what the user needs: what is wrong, what to do, what the command ends with. */
export function describeError(error: unknown): DescribedError {
  if (error instanceof FailedMidway) {
    const described = describeError(error.cause);
    return { ...described, message: `${described.message} ${error.progress}` };
  }
  if (error instanceof CliError) {
    const { code, message, hint, exitCode, stack } = error;
    return { code, message, hint, exitCode, stack };
  }
  if (error instanceof CommanderError) {
    const isHelp = error.code === "commander.help";
    const message = isHelp ? "a command is needed" : error.message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ");
    return {
      code: "wrong-use",
      message: sentence(message),
      hint: hintFor(message),
      exitCode: EXIT.wrongUse,
      stack: error.stack,
    };
  }
  if (isPapaError(error)) {
    const { code, message, stack } = error;
    return { code, message, stack: withCause(stack, error.cause), ...adviceFor(error) };
  }
  if (error instanceof Error && isFileError(error))
    return { code: "file", message: sentence(error.message), exitCode: EXIT.wrongUse, stack: error.stack };
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error ? withCause(error.stack, error.cause) : undefined;
  return {
    code: "unexpected",
    message: sentence(message),
    hint: "--verbose shows where it comes from.",
    exitCode: EXIT.found,
    stack,
  };
}

/** What helps where a command was used wrongly. */
function hintFor(message: string): string | undefined {
  if (message.includes("Did you mean")) return undefined;
  if (message.includes("argument 'use-case'")) return "papa use-cases lists those that there are.";
  return "--help shows how it is used.";
}

function adviceFor(error: AnyPapaError): Pick<DescribedError, "exitCode" | "hint"> & { readonly message?: string } {
  switch (error.code) {
    case "connection-failed":
      return { exitCode: EXIT.notReached, hint: "Is the broker up, and is --broker or PAPA_BROKER_URL its address?" };
    case "access-refused":
      return { exitCode: EXIT.notReached, hint: "Does the account of the URL have the rights for this?" };
    case "publish-timeout":
      return { exitCode: EXIT.notReached, hint: "Publishing it again with --id and the same id is safe." };
    case "publish-incomplete":
    case "unsupported-broker":
      return { exitCode: EXIT.notReached };
    case "transport-not-installed":
      return {
        exitCode: EXIT.wrongUse,
        message: `The package for ${error.details.scheme}: URLs is not installed.`,
        hint: `Install it beside papa: npm install ${error.details.package}`,
      };
    case "unknown-scheme":
      return { exitCode: EXIT.wrongUse, hint: "Such as amqp://host, kafka://host:9092 or redis://host:6379" };
    case "unknown-use-case":
      return { exitCode: EXIT.found, hint: "papa use-cases lists those that there are." };
    case "topology-conflict":
      return { exitCode: EXIT.found };
    default:
      return { exitCode: EXIT.wrongUse };
  }
}

/** What Node.js says of a file that it cannot read or write. */
function isFileError(error: Error): boolean {
  // Reading a directory names no path.
  return "syscall" in error && ("path" in error || ("code" in error && error.code === "EISDIR"));
}

function withCause(stack: string | undefined, cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return stack;
  return `${stack ?? ""}\nCaused by: ${withCause(cause.stack, cause.cause) ?? cause.message}`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.?)]$/.test(text) ? "" : ".");
}
