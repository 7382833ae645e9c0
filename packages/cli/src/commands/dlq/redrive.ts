import { Command } from "commander";
import { wrongUse } from "../../errors/cli-error.ts";
import type { Open } from "../../session/session.ts";
import { examples } from "../examples.ts";
import { USE_CASE } from "../use-case-argument.ts";
import { type Action, actOn } from "./act-on.ts";
import { withFilters } from "./filters.ts";
import { redriveEdited } from "./redrive-edited.ts";
import { redriveFile } from "./redrive-file.ts";
import { type SelectionOptions, selectionFrom } from "./selection.ts";

interface RedriveOptions extends SelectionOptions {
  readonly from?: string;
  readonly edit?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const REDRIVE: Action = {
  verb: "Redrive",
  past: "redriven",
  destructive: false,
  run: (letters, which, options, onFound) =>
    letters.redrive(which, { ...options, payload: (item) => void onFound(item) }),
};

/** `papa dlq redrive` */
export function redrive(open: Open): Command {
  return withFilters(
    new Command("redrive")
      .summary("send them back, also mended")
      .description(
        "Send dead letters back to their use case, with the same event id and all attempts anew: those of " +
          "ids, those that filters find, or all; with their own payload, or mended in an editor. In a terminal " +
          "it asks before it sends many.",
      )
      .argument(...USE_CASE)
      .argument("[ids...]", "as papa dlq list prints them"),
  )
    .option("--all", "all that there are")
    .option(
      "--from <file>",
      "those of a file that papa dlq export made, with the payloads of the file; - for standard input",
    )
    .option("--edit", "edit the payload of one in $EDITOR first")
    .option("--dry-run", "say how many it would be, and do nothing")
    .option("-y, --yes", "do not ask")
    .addHelpText(
      "after",
      examples(
        "papa dlq redrive send_welcome --reason retries-exhausted --since 2h",
        "papa dlq export send_welcome > letters.jsonl   # mend the payloads, then:",
        "papa dlq redrive send_welcome --from letters.jsonl",
      ),
    )
    .action((useCase: string, ids: readonly string[], options: RedriveOptions) => {
      const { from, edit = false, dryRun = false, yes = false, ...selecting } = options;
      if (from !== undefined) {
        assertAlone("--from", ids, selecting, edit);
        return open((session) => redriveFile(session, useCase, from, { dryRun, yes }), {
          endsBySignal: true,
          acts: true,
        });
      }
      const selection = selectionFrom(ids, selecting);
      if (!edit)
        return open((session) => actOn(session, useCase, selection, REDRIVE, { dryRun, yes }), {
          endsBySignal: true,
          acts: true,
        });
      const [id, ...others] = selection.kind === "ids" ? selection.ids : [];
      if (id === undefined || others.length > 0 || dryRun)
        throw wrongUse(
          "--edit is for one dead letter.",
          "Give its id; for many, papa dlq export, mend, and redrive --from.",
        );
      return open((session) => redriveEdited(session, useCase, id), { endsBySignal: true, acts: true });
    });
}

function assertAlone(option: string, ids: readonly string[], selection: SelectionOptions, edit: boolean): void {
  if (ids.length === 0 && Object.keys(selection).length === 0 && !edit) return;
  throw wrongUse(
    `${option} says itself which dead letters are meant.`,
    "Give no ids, filters, --all or --edit with it.",
  );
}
