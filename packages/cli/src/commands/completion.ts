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
    ?.helpGroup("Shell:")
    .summary("print a script that completes commands and names in a shell")
    .addHelpText("after", examples("papa completion bash >> ~/.bashrc"));
  for (const command of completions.commands.values()) {
    for (const argument of command.arguments.values()) {
      if (argument.name !== "use-case") continue;
      argument.handler = (complete) => {
        for (const name of names) complete(name, "");
      };
    }
  }
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
    names = (await Promise.race([ops.useCases(), limit])).map(({ name }) => name);
  } catch {
    // A shell that completes shows no errors.
  } finally {
    clearTimeout(timer);
    void ops?.close().catch(nothing);
  }
}
