import { Command } from "commander";
import type { Open } from "../../session/session.ts";
import { examples } from "../examples.ts";
import { USE_CASE } from "../use-case-argument.ts";
import { type Action, actOn } from "./act-on.ts";
import { withFilters } from "./filters.ts";
import { type SelectionOptions, selectionFrom } from "./selection.ts";

interface PurgeOptions extends SelectionOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const PURGE: Action = {
  verb: "Purge",
  past: "purged",
  destructive: true,
  run: (letters, which, options) => letters.purge(which, options),
};

/** `papa dlq purge` */
export function purge(open: Open): Command {
  return withFilters(
    new Command("purge")
      .summary("destroy them")
      .description("Destroy dead letters for good: those of ids, those that filters find, or all. Asks first.")
      .argument(...USE_CASE)
      .argument("[ids...]", "as papa dlq list prints them"),
  )
    .option("--all", "all that there are")
    .option("--dry-run", "say how many it would be, and do nothing")
    .option("-y, --yes", "do not ask")
    .addHelpText(
      "after",
      examples("papa dlq export send_welcome --until 30d > old.jsonl", "papa dlq purge send_welcome --until 30d"),
    )
    .action((useCase: string, ids: readonly string[], { dryRun = false, yes = false, ...options }: PurgeOptions) => {
      const selection = selectionFrom(ids, options);
      return open((session) => actOn(session, useCase, selection, PURGE, { dryRun, yes }), {
        endsBySignal: true,
        acts: true,
      });
    });
}
