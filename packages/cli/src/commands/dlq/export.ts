import type { DeadLetterFilter } from "@papa-events/core";
import { Command } from "commander";
import { EXIT } from "../../errors/exit-code.ts";
import { parseCount } from "../../input/numbers.ts";
import { deadLetterJson } from "../../output/json-items.ts";
import { ProgressBar } from "../../output/progress-bar.ts";
import { count, number } from "../../output/words.ts";
import { note, type Open, type Session } from "../../session/session.ts";
import { examples } from "../examples.ts";
import { USE_CASE } from "../use-case-argument.ts";
import { type FilterOptions, filterFrom, withFilters } from "./filters.ts";

interface ExportOptions extends FilterOptions {
  readonly limit?: string;
}

/** `papa dlq export` */
export function exportCommand(open: Open): Command {
  return withFilters(
    new Command("export")
      .summary("write them to a file, to mend or keep")
      .description(
        "Write dead letters as JSON lines, the oldest first, to mend their payloads in an editor or to keep " +
          "them. Changes nothing. papa dlq redrive --from sends them back.",
      )
      .argument(...USE_CASE),
  )
    .option("--limit <n>", "so many at most")
    .addHelpText("after", examples("papa dlq export send_welcome --reason invalid-payload > letters.jsonl"))
    .action((useCase: string, { limit, ...filters }: ExportOptions) => {
      const most = limit === undefined ? Number.POSITIVE_INFINITY : parseCount(limit, "--limit");
      const filter = filterFrom(filters);
      return open((session) => exported(session, useCase, filter, most), { endsBySignal: true });
    });
}

async function exported(
  session: Session,
  useCase: string,
  filter: DeadLetterFilter | undefined,
  most: number,
): Promise<number> {
  const { ops, out, err, paintErr, json, signal } = session;
  const letters = ops.deadLetters(useCase);
  // Where the lines go to the terminal, a bar would stand between them.
  const bar = new ProgressBar(err, paintErr, !json && !out.isTerminal);
  const total = err.isTerminal ? await letters.count() : 0;
  let written = 0;
  try {
    for await (const item of letters.search({ ...filter, order: "oldest", signal })) {
      await out.json(deadLetterJson(item));
      written += 1;
      bar.show({ seen: written, total, note: `${number(written)} written` });
      if (written >= most) break;
    }
  } finally {
    bar.end();
  }
  if (out.closed.aborted) return EXIT.done;
  if (signal.aborted) {
    await note(session, `Interrupted: ${count(written, "dead letter")} of ${useCase} were written.`);
    return EXIT.interrupted;
  }
  if (written === 0)
    await note(session, filter === undefined ? `${useCase} has no dead letters.` : "No dead letter is like that.");
  return written === 0 && filter !== undefined ? EXIT.found : EXIT.done;
}
