import { Command, Option } from "commander";
import { type CliError, notFound } from "../errors/cli-error.ts";
import { EXIT } from "../errors/exit-code.ts";
import { assertCanAsk, confirm } from "../input/confirm.ts";
import { count } from "../output/words.ts";
import { note, type Open, type Session } from "../session/session.ts";
import { done } from "./done.ts";
import { examples } from "./examples.ts";
import { USE_CASE } from "./use-case-argument.ts";

interface RemoveOptions {
  readonly deadLetters: "keep" | "purge";
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** `papa remove` */
export function remove(open: Open): Command {
  return new Command("remove")
    .summary("remove a use case that has been retired")
    .description(
      "Remove a use case for good: its bindings, what was declared, and the events that wait for it. An " +
        "instance that still runs it is notified and stops handling it; one that starts later declares it anew.",
    )
    .argument(...USE_CASE)
    .addOption(
      new Option("--dead-letters <what>", "what becomes of its dead letters")
        .choices(["keep", "purge"])
        .default("keep"),
    )
    .option("--dry-run", "say what would be removed, and do nothing")
    .option("-y, --yes", "do not ask")
    .addHelpText("after", examples("papa remove send_welcome --dead-letters purge"))
    .action((useCase: string, options: RemoveOptions) => open((session) => removed(session, useCase, options)));
}

async function removed(
  session: Session,
  useCase: string,
  { deadLetters, dryRun, yes }: RemoveOptions,
): Promise<number> {
  const { ops, out, err, stdin, signal, json } = session;
  if (!dryRun && !yes) assertCanAsk(stdin, err);
  const what = dryRun || !yes ? await losses(session, useCase, deadLetters) : "";
  if (dryRun) {
    if (json) await out.json({ useCase, done: false });
    else await out.line(`Would remove ${useCase}: ${what}.`);
    return EXIT.done;
  }
  if (!yes && !(await confirm(`Remove ${useCase} for good? ${what}.`, { stdin, output: err, signal }))) {
    await note(session, "Nothing was done.");
    return EXIT.found;
  }
  await ops.remove(useCase, { deadLetters });
  await done(session, useCase, `Removed ${useCase}.`);
  return EXIT.done;
}

/** What would be lost and kept. @throws CliError `not-found` */
async function losses({ ops }: Session, useCase: string, deadLetters: "keep" | "purge"): Promise<string> {
  const info = (await ops.useCases()).find(({ name }) => name === useCase);
  if (info === undefined) throw unknown(useCase);
  const { ready, inFlight, waiting, dead } = info.stats;
  const kept = deadLetters === "keep" ? "kept" : "destroyed";
  return `${count(ready + inFlight + waiting, "waiting event")} destroyed, ${count(dead, "dead letter")} ${kept}`;
}

function unknown(useCase: string): CliError {
  return notFound(`The namespace knows no use case "${useCase}".`, "papa use-cases lists those that there are.");
}
