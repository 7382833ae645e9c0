import type { DeadLetterFilter, DeadLetterItem, DeadLetters } from "@papa-events/core";
import { Command } from "commander";
import { interrupted } from "../../errors/cli-error.ts";
import { EXIT } from "../../errors/exit-code.ts";
import { parseCount } from "../../input/numbers.ts";
import { deadLetterJson } from "../../output/json-items.ts";
import { type Column, plainLine, tableLines } from "../../output/table.ts";
import { ago, count, iso } from "../../output/words.ts";
import { note, type Open, type Session } from "../../session/session.ts";
import { examples } from "../examples.ts";
import { USE_CASE } from "../use-case-argument.ts";
import { type FilterOptions, filterFrom, withFilters } from "./filters.ts";

const MAX_PAGE_ITEMS = 1_000;

interface ListOptions extends FilterOptions {
  readonly limit: string;
  readonly oldest?: boolean;
}

/** A line of the list: a letter may be large, and a list may be long. */
type Row = Pick<DeadLetterItem, "id" | "eventName" | "reason" | "attempts" | "lastFailedAt"> & {
  readonly error: string;
};

const COLUMNS: readonly Column<Row>[] = [
  { title: "ID", text: ({ id }) => id },
  { title: "FAILED", text: (row) => iso(row.lastFailedAt), shown: (row) => ago(row.lastFailedAt) },
  { title: "EVENT", text: ({ eventName }) => eventName },
  { title: "REASON", text: ({ reason }) => reason },
  { title: "ATTEMPTS", text: ({ attempts }) => String(attempts), align: "right" },
  { title: "ERROR", text: ({ error }) => error, style: () => "red" },
];

/** `papa dlq list` */
export function list(open: Open): Command {
  return withFilters(
    new Command("list")
      .summary("list or search them")
      .description("List the dead letters of a use case, the newest first, or search them. Changes nothing.")
      .argument(...USE_CASE),
  )
    .option("--limit <n>", "so many at most", "50")
    .option("--oldest", "the oldest first")
    .addHelpText("after", examples("papa dlq list send_welcome --event 'user.*' --text timeout --since 2h"))
    .action((useCase: string, { limit, oldest = false, ...filters }: ListOptions) => {
      const most = parseCount(limit, "--limit");
      const filter = filterFrom(filters);
      return open((session) => listed(session, useCase, filter, { most, oldest }), { endsBySignal: true });
    });
}

async function listed(
  session: Session,
  useCase: string,
  filter: DeadLetterFilter | undefined,
  { most, oldest }: { readonly most: number; readonly oldest: boolean },
): Promise<number> {
  const { ops, out, paint, json, signal } = session;
  const letters = ops.deadLetters(useCase);
  const order = oldest ? "oldest" : "newest";
  // Pages are quicker than a search, and know whether there is more.
  const items = filter === undefined ? paged(letters, most, order) : letters.search({ ...filter, order, signal });
  const rows: Row[] = [];
  let found = 0;
  for await (const item of items) {
    if (signal.aborted) break;
    found += 1;
    if (json) await out.json(deadLetterJson(item));
    else if (out.isTerminal) rows.push(rowOf(item));
    else await out.line(plainLine(COLUMNS, rowOf(item)));
    if (found >= most) break;
  }
  if (rows.length > 0) for (const line of tableLines(COLUMNS, rows, out.width, paint)) await out.line(line);
  if (signal.aborted) throw interrupted();
  if (found === 0)
    await note(session, filter === undefined ? `${useCase} has no dead letters.` : "No dead letter is like that.");
  else if (found >= most && out.isTerminal)
    await note(
      session,
      `The ${oldest ? "oldest" : "newest"} ${count(found, "dead letter")}; --limit shows more, papa dlq export all.`,
    );
  return found === 0 && filter !== undefined ? EXIT.found : EXIT.done;
}

async function* paged(
  letters: DeadLetters,
  most: number,
  order: "newest" | "oldest",
): AsyncGenerator<DeadLetterItem, void, void> {
  let left = most;
  let after: string | undefined;
  do {
    const page = await letters.list({ limit: Math.min(left, MAX_PAGE_ITEMS), order, after });
    yield* page.items;
    left -= page.items.length;
    after = page.next;
  } while (after !== undefined && left > 0);
}

function rowOf({ id, eventName, reason, attempts, lastFailedAt, error }: DeadLetterItem): Row {
  return { id, eventName, reason, attempts, lastFailedAt, error: `${error.name}: ${error.message}` };
}
