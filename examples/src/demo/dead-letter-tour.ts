import type { DeadLetterItem, DeadLetters, PapaApp } from "@papa-events/core";
import { bold, cut, dim, shownCount } from "./look.ts";
import type { Run } from "./run.ts";
import { until } from "./until.ts";
import type { Outside } from "./use-cases/index.ts";

const USE_CASE = "page_security";
/** How much of a long value is shown. */
const WIDTH = 66;

export interface Tour {
  readonly app: PapaApp;
  readonly run: Run;
  readonly outside: Outside;
  readonly signal: AbortSignal;
  readonly print: (line?: string) => void;
}

/** Shows a dead letter in full, fixes what had failed, and redrives it. */
export async function tourDeadLetters({ app, run, outside, signal, print }: Tour): Promise<void> {
  const { pager } = outside;
  const letters = app.deadLetters(USE_CASE);
  const letter = await findLetter(letters, run);
  const before = await letters.count();
  print(bold(`One of the ${shownCount(before)} dead letters of ${USE_CASE}`));
  for (const line of letterLines(letter)) print(line);

  pager.repair();
  print();
  print(bold("The pager is repaired: redrive it"));
  print(dim(`  app.deadLetters(useCase).redrive(["${letter.id}"])`));
  await letters.redrive([letter.id]);
  const paged = await until({
    condition: () => pager.pages.has(letter.eventId),
    progress: () => pager.pages.size,
    signal,
  });
  if (!paged) throw new Error(`The redriven event ${letter.eventId} has not been handled.`);
  const page = pager.pages.get(letter.eventId);
  print(`  handled  with the same event id, by ${USE_CASE} only`);
  print(`  paged    ${cut(page?.message ?? "", WIDTH)}`);
  print(`  left     ${shownCount(await letters.count())} dead letters; redrive("all") takes them all`);
}

/** One of this run; in a namespace that was used before there may be others. */
async function findLetter(letters: DeadLetters, run: Run): Promise<DeadLetterItem> {
  let after: string | undefined;
  do {
    const { items, next } = await letters.list({ order: "oldest", after });
    const found = items.find(({ eventName, headers }) => run.keyOf(eventName, headers) !== undefined);
    if (found !== undefined) return found;
    after = next;
  } while (after !== undefined);
  throw new Error(`${USE_CASE} has no dead letter of this run.`);
}

function letterLines(letter: DeadLetterItem): readonly string[] {
  // Of the library's own headers the rest is told above.
  const headers = Object.entries(letter.headers).filter(([name]) => !/^(ce|papa)_/.test(name));
  const rows: readonly (readonly [string, string])[] = [
    ["id", letter.id],
    ["event", letter.eventName],
    ["event id", letter.eventId],
    ["reason", `${letter.reason}, after ${letter.attempts} attempts`],
    ["failed", `first ${letter.firstFailedAt.toISOString()}`],
    ["", `last  ${letter.lastFailedAt.toISOString()}`],
    ["error", `${letter.error.name}: ${letter.error.message}`],
    ...stackLines(letter.error.stack).map((line) => ["", line] as const),
    ...headers.map(([name, value], place) => [place === 0 ? "headers" : "", `${name}: ${value}`] as const),
    ["payload", JSON.stringify(letter.payload)],
    ["", `(${shownCount(letter.body.byteLength)} bytes, kept as they came)`],
  ];
  return rows.map(([what, value]) => `  ${dim(what.padEnd(9))} ${cut(value, WIDTH)}`);
}

/** Where it was thrown; the library's own frames say nothing here. */
function stackLines(stack: string): readonly string[] {
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  return frames.slice(0, 1).map((line) => line.trim().replace(/\(?file:.*\/(examples\/)/, "($1"));
}
