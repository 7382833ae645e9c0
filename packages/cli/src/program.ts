import { Command } from "commander";
import { addCompletion } from "./commands/completion.ts";
import { dlq } from "./commands/dlq/dlq.ts";
import { doctor } from "./commands/doctor.ts";
import { pause, resume } from "./commands/pause.ts";
import { publish } from "./commands/publish.ts";
import { remove } from "./commands/remove.ts";
import { stats } from "./commands/stats.ts";
import { tail } from "./commands/tail.ts";
import { unbind } from "./commands/unbind.ts";
import { useCases } from "./commands/use-cases.ts";
import type { Output } from "./output/output.ts";
import type { Open } from "./session/session.ts";
import { version } from "./version.ts";

/** What the program writes to, and how its commands get their session. */
export interface ProgramParts {
  readonly out: Output;
  readonly err: Output;
  readonly open: Open;
  /** Whether errors are JSON: then no help is printed in place of one. */
  readonly json: boolean;
}

const AFTER = `
The broker is --broker or PAPA_BROKER_URL: amqp://host, kafka://host:9092, redis://host:6379; ?prefix=orders
in it is a namespace. In a terminal commands print tables, into a pipe plain lines with tabs, with --json JSON.

Exit codes: 0 done; 1 a finding, or nothing found where something was asked for; 2 wrong use;
3 the broker was not reached; 130 ended by Ctrl-C.

Examples:
  $ export PAPA_BROKER_URL='redis://localhost:6379?prefix=orders'
  $ papa doctor                          is anything wrong?
  $ papa dlq summary                     what failed, and why
  $ papa dlq redrive send_welcome --all  send it back once the cause is gone`;

/** Puts the command together. Nothing connects before a command runs. */
export function createProgram({ out, err, open, json }: ProgramParts): Command {
  const program = new Command("papa")
    .description("Find out, look, mend and send back: the operator's side of Papa Events, on every broker.")
    .version(version(), "-V, --version", "print the version")
    .option("--broker <url>", "the broker; else PAPA_BROKER_URL, which other users of the machine do not see")
    .option("--json", "print JSON: one document, or a line for each where there are many")
    .option("--verbose", "print what is logged, and the stack of an error")
    .helpOption("-h, --help", "print help")
    .addHelpCommand(helpCommand())
    .addHelpText("after", AFTER)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void out.write(text),
      writeErr: (text) => void (json || err.write(text)),
      // Errors are reported in one place, whoever finds them.
      outputError: () => {},
      getOutHelpWidth: () => (out.isTerminal ? Math.min(out.width, 120) : 100),
      getErrHelpWidth: () => (err.isTerminal ? Math.min(err.width, 120) : 100),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride();
  const look = [useCases, stats, tail, doctor].map((command) => command(open).helpGroup("Look:"));
  const act = [publish, pause, resume, remove, unbind].map((command) => command(open).helpGroup("Act:"));
  for (const command of [...look, dlq(open).helpGroup("Mend:"), ...act])
    program.addCommand(inheriting(program, command));
  addCompletion(program);
  return program;
}

function helpCommand(): Command {
  return new Command("help")
    .argument("[command]")
    .description("print help of a command")
    .helpGroup("Other:")
    .helpOption(false);
}

/** Commands that are made alone know nothing of how the program writes and ends. */
function inheriting(parent: Command, command: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inheriting(command, child);
  return command;
}
