import type { DeadLetterFilter } from "@papa-events/core";
import { Command } from "commander";
import { interrupted } from "../../errors/cli-error.ts";
import { EXIT } from "../../errors/exit-code.ts";
import { ProgressBar } from "../../output/progress-bar.ts";
import { type Column, writeTable } from "../../output/table.ts";
import { ago, iso, number } from "../../output/words.ts";
import { note, type Open, type Session } from "../../session/session.ts";
import { examples } from "../examples.ts";
import { type FilterOptions, filterFrom, withFilters } from "./filters.ts";
import { type Group, Groups } from "./groups.ts";

const COLUMNS: readonly Column<Group>[] = [
  { title: "COUNT", text: (group) => String(group.count), shown: (group) => number(group.count), align: "right" },
  { title: "USE CASE", text: ({ useCase }) => useCase },
  { title: "EVENT", text: ({ event }) => event },
  { title: "REASON", text: ({ reason }) => reason },
  { title: "FIRST", text: ({ first }) => iso(first), shown: ({ first }) => ago(first) },
  { title: "LAST", text: ({ last }) => iso(last), shown: ({ last }) => ago(last) },
  { title: "ERROR", text: ({ error }) => error, style: () => "red" },
];

/** `papa dlq summary` */
export function summary(open: Open): Command {
  return withFilters(
    new Command("summary")
      .summary("what failed, of what, how often, since when")
      .description(
        "Group the dead letters of all use cases, or of one, by reason, error and event, with how many there " +
          "are and when the first and the last became one: where to begin when something is wrong.",
      )
      .argument("[use-case]", "only this one"),
  )
    .addHelpText("after", examples("papa dlq summary --since 2h"))
    .action((useCase: string | undefined, filters: FilterOptions) => {
      const filter = filterFrom(filters);
      return open((session) => summarised(session, useCase, filter), { endsBySignal: true });
    });
}

async function summarised(
  session: Session,
  useCase: string | undefined,
  filter: DeadLetterFilter | undefined,
): Promise<number> {
  const { ops, out, err, paint, paintErr, json, signal } = session;
  const useCases = await counted(session, useCase);
  const total = useCases.reduce((sum, { dead }) => sum + dead, 0);
  const bar = new ProgressBar(err, paintErr, !json);
  const groups = new Groups();
  let seen = 0;
  try {
    for (const { name } of useCases) {
      for await (const item of ops.deadLetters(name).search({ ...filter, signal })) {
        groups.add(item);
        seen += 1;
        bar.show({ seen, total, note: "grouped" });
      }
    }
  } finally {
    bar.end();
  }
  if (signal.aborted) throw interrupted();
  const list = groups.list();
  if (json) await out.json({ groups: list });
  else if (list.length === 0)
    await note(session, filter === undefined ? "There are no dead letters." : "No dead letter is like that.");
  else await writeTable(out, paint, COLUMNS, list);
  return list.length === 0 && filter !== undefined ? EXIT.found : EXIT.done;
}

async function counted(
  { ops }: Session,
  useCase: string | undefined,
): Promise<{ readonly name: string; readonly dead: number }[]> {
  if (useCase !== undefined) return [{ name: useCase, dead: await ops.deadLetters(useCase).count() }];
  const stats = await ops.stats();
  return Object.entries(stats)
    .map(([name, { dead }]) => ({ name, dead }))
    .filter(({ dead }) => dead > 0);
}
