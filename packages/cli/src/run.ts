import type { Transport } from "@papa-events/core";
import { CommanderError } from "commander";
import { loadUseCases } from "./commands/completion.ts";
import { CliError, unwritable } from "./errors/cli-error.ts";
import { describeError } from "./errors/describe-error.ts";
import { EXIT } from "./errors/exit-code.ts";
import { redactorFor } from "./input/broker-url.ts";
import { Output } from "./output/output.ts";
import { paintFor } from "./output/paint.ts";
import { reportError } from "./output/report-error.ts";
import { createProgram } from "./program.ts";
import type { Io } from "./session/io.ts";
import { type CommonOptions, openSession, type SessionParts } from "./session/open-session.ts";

/** How the command is run by a program. */
export interface RunOptions {
  /** The broker, in place of the one of `--broker` and `PAPA_BROKER_URL`. */
  readonly transport?: Transport | undefined;
}

/**
 * Runs `papa` with these arguments, and resolves to its exit code. Never rejects: errors go to `stderr`.
 *
 * @example await run(["stats", "--json"], { stdin, stdout, stderr, env, signal }, { transport });
 */
export async function run(args: readonly string[], io: Io, { transport }: RunOptions = {}): Promise<number> {
  const out = new Output(io.stdout);
  const err = new Output(io.stderr);
  const paintErr = paintFor(err, io.env);
  let exitCode: number = EXIT.done;
  // What was given wrongly may have kept the options from being parsed.
  const json = args.includes("--json");
  const verbose = args.includes("--verbose");
  const redact = redactorFor([io.env.PAPA_BROKER_URL ?? "", ...args]);
  const program = createProgram({
    out,
    err,
    json,
    async open(work, options = {}) {
      const common = program.opts<CommonOptions>();
      const parts: SessionParts = { io, out, err, paint: paintFor(out, io.env), paintErr, redact, transport };
      exitCode = await openSession(work, options, common, parts);
    },
  });
  try {
    await loadUseCases(args, io, transport);
    await program.parseAsync(args, { from: "user" });
    if (out.failure !== undefined) throw unwritable(out.failure);
    return exitCode;
  } catch (caught) {
    const error = out.failure === undefined ? caught : unwritable(out.failure);
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done;
    // Help has been printed in place of an error.
    if (error instanceof CommanderError && error.code === "commander.help" && !json) return EXIT.wrongUse;
    // Whoever reads has read enough, which is why it ended, and nothing is wrong.
    if (out.closed.aborted && error instanceof CliError && error.code === "interrupted") return EXIT.done;
    const described = describeError(error);
    await reportError(err, paintErr, described, { json, verbose, redact });
    return described.exitCode;
  }
}
