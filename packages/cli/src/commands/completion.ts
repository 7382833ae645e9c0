import tab from "@bomb.sh/tab/commander";
import type { Transport } from "@papa-events/core";
import { type Operator, operator } from "@papa-events/core/operator";
import { transportFromUri } from "@papa-events/core/uri";
import type { Command } from "commander";
import type { Io } from "../session/io.ts";
import { examples } from "./examples.ts";

/** How long a shell waits for names before it does without. */
const MAX_WAIT_MS = 1_500;
const nothing = () => {};
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** The names that are offered where a use case is wanted. */
let names: readonly string[] = [];

/** Adds `papa completion <shell>`, and what the scripts that it prints ask. */
export function addCompletion(program: Command): void {
  const completions = tab(program, { completionCommandName: "completion" });
  program.commands
    .find((command) => command.name() === "completion")
    ?.helpGroup("Other:")
    .summary("print a script that completes commands and names in a shell")
    .addHelpText("after", examples("papa completion bash >> ~/.bashrc"));
  for (const [path, completion] of completions.commands) {
    completion.description = find(program, path)?.summary() ?? completion.description;
    // Those of the program are understood after any command.
    for (const [name, { description, handler }] of completions.options)
      if (handler === undefined) completion.option(name, description);
      else completion.option(name, description, handler);
    const argument = completion.arguments.get("use-case");
    if (argument === undefined) continue;
    argument.handler = (complete) => {
      for (const name of names) complete(name, "");
    };
  }
}

function find(program: Command, path: string): Command | undefined {
  return path
    .split(" ")
    .reduce<Command | undefined>((parent, name) => parent?.commands.find((each) => each.name() === name), program);
}

/** Asks the broker of the environment for the names of its use cases, where a shell completes a line. */
export async function loadUseCases(args: readonly string[], io: Io, transport: Transport | undefined): Promise<void> {
  names = [];
  const url = io.env.PAPA_BROKER_URL ?? "";
  if (args[0] !== "complete" || (transport === undefined && url === "")) return;
  let timer: NodeJS.Timeout | undefined;
  let ops: Operator | undefined;
  try {
    ops = operator(transport ?? transportFromUri(url), { name: "papa-cli", logger: silent });
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(reject, MAX_WAIT_MS);
    });
    const useCases = await Promise.race([ops.useCases(), limit]);
    // A shell would take the rest of any other name for something else.
    names = useCases.map(({ name }) => name).filter((name) => /^[\w.-]+$/.test(name));
  } catch {
    // A shell that completes shows no errors.
  } finally {
    clearTimeout(timer);
    void ops?.close().catch(nothing);
  }
}
