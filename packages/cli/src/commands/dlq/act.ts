import type { DeadLetterProgress, DeadLetterSelection, DeadLetters, ProgressOptions } from "@papa-events/core";
import { FailedMidway, notFound } from "../../errors/cli-error.ts";
import { EXIT } from "../../errors/exit-code.ts";
import { canAsk, confirm } from "../../input/confirm.ts";
import { ProgressBar } from "../../output/progress-bar.ts";
import { safe } from "../../output/safe-text.ts";
import { count, number } from "../../output/words.ts";
import { note, type Session } from "../../session/session.ts";
import type { Chosen } from "./selection.ts";

/** How many ids are looked up at once. */
const MAX_LOOKUPS = 16;

/** What is done to dead letters. */
export interface Deed {
  readonly verb: "Redrive" | "Purge";
  readonly past: "redriven" | "purged";
  /** Whether it destroys something: then who cannot be asked has to say --yes. */
  readonly destructive: boolean;
  readonly act: (letters: DeadLetters, which: DeadLetterSelection, options: ProgressOptions) => Promise<number>;
}

/** How it is done. */
export interface ActOptions {
  readonly dryRun: boolean;
  readonly yes: boolean;
}

/** Does something to the dead letters that are chosen: asks, shows how far it is, says what came of it. */
export async function act(
  session: Session,
  useCase: string,
  chosen: Chosen,
  deed: Deed,
  { dryRun, yes }: ActOptions,
): Promise<number> {
  const letters = session.ops.deadLetters(useCase);
  const asks = !yes && (deed.destructive || (chosen.kind !== "ids" && canAsk(session.stdin, session.err)));
  const missing = chosen.kind === "ids" ? await missingOf(letters, chosen.ids) : [];
  for (const id of missing) await note(session, `${id} is gone: it was redriven or purged, or never was.`);
  // Where nobody wants to know before, nobody waits for a search that would be made twice.
  const total =
    dryRun || asks || chosen.kind !== "filter" ? await counted(session, letters, chosen, missing) : undefined;
  if (total === 0) return nothingFound(session, useCase, chosen, deed, dryRun);
  if (session.signal.aborted) return EXIT.interrupted;
  if (dryRun) return reportDryRun(session, useCase, deed, total ?? 0);
  if (asks) {
    const question = `${deed.verb} ${count(total ?? 0, "dead letter")} of ${useCase}?${deed.destructive ? " This cannot be undone." : ""}`;
    if (!(await confirm(question, { stdin: session.stdin, output: session.err, signal: session.signal }))) {
      await note(session, "Nothing was done.");
      return EXIT.found;
    }
  }
  const which = chosen.kind === "ids" ? chosen.ids : chosen.kind === "all" ? "all" : { where: chosen.where };
  const done = await withProgress(session, letters, deed.past, chosen.kind === "ids" ? total : undefined, (options) =>
    deed.act(letters, which, options),
  );
  if (done === 0 && chosen.kind === "filter" && !session.signal.aborted)
    return nothingFound(session, useCase, chosen, deed, dryRun);
  return reportDone(session, useCase, deed.past, done);
}

/**
 * Runs a long call with a bar.
 *
 * @param total how many it is about; all that there are, unless given
 * @throws FailedMidway with how far it had come
 */
export async function withProgress(
  { err, paintErr, json, signal }: Session,
  letters: DeadLetters,
  past: string,
  total: number | undefined,
  call: (options: ProgressOptions) => Promise<number>,
): Promise<number> {
  const of = total ?? (err.isTerminal && !json ? await letters.count() : 0);
  const bar = new ProgressBar(err, paintErr, !json);
  let last: DeadLetterProgress = { seen: 0, done: 0 };
  const onProgress = (progress: DeadLetterProgress) => {
    last = progress;
    bar.show({ seen: progress.seen, total: of, note: `${number(progress.done)} ${past}` });
  };
  try {
    return await call({ onProgress, signal });
  } catch (error) {
    if (last.done === 0) throw error;
    throw new FailedMidway(
      error,
      `${count(last.done, "dead letter")} had been ${past}; the same command does the rest.`,
    );
  } finally {
    bar.end();
  }
}

/** Says how many were done, also when it was ended early. */
export async function reportDone(
  session: Session,
  useCase: string,
  past: "redriven" | "purged",
  done: number,
): Promise<number> {
  const { out, json, signal } = session;
  const ended = signal.aborted;
  if (json) await out.json({ [past]: done });
  else if (ended)
    await note(
      session,
      `Interrupted: ${count(done, "dead letter")} of ${useCase} were ${past}; the same command does the rest.`,
    );
  else await out.line(safe(`${count(done, "dead letter")} of ${useCase} ${past}.`));
  return ended ? EXIT.interrupted : EXIT.done;
}

/** Says how many it would have been. */
export async function reportDryRun(
  { out, json }: Session,
  useCase: string,
  { past }: Pick<Deed, "past">,
  found: number,
): Promise<number> {
  if (json) await out.json({ [past]: 0, found });
  else await out.line(safe(`${count(found, "dead letter")} of ${useCase} would be ${past}.`));
  return EXIT.done;
}

/** All of none are done; one that was asked for and is not there is an error. */
function nothingFound(session: Session, useCase: string, chosen: Chosen, deed: Deed, dryRun: boolean): Promise<number> {
  if (chosen.kind === "filter")
    throw notFound(`No dead letter of ${useCase} is like that.`, "papa dlq summary shows what there is.");
  if (chosen.kind === "ids") throw notFound(`None of these is a dead letter of ${useCase}.`);
  return dryRun ? reportDryRun(session, useCase, deed, 0) : reportDone(session, useCase, deed.past, 0);
}

async function counted(
  session: Session,
  letters: DeadLetters,
  chosen: Chosen,
  missing: readonly string[],
): Promise<number> {
  if (chosen.kind === "ids") return chosen.ids.length - missing.length;
  const all = await letters.count();
  if (chosen.kind === "all") return all;
  const { err, paintErr, json, signal } = session;
  const bar = new ProgressBar(err, paintErr, !json);
  let found = 0;
  for await (const _ of letters.search({ ...chosen.where, signal })) {
    found += 1;
    bar.show({ seen: found, total: all, note: "found" });
  }
  bar.end();
  return found;
}

async function missingOf(letters: DeadLetters, ids: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (let from = 0; from < ids.length; from += MAX_LOOKUPS) {
    const some = ids.slice(from, from + MAX_LOOKUPS);
    const items = await Promise.all(some.map((id) => letters.get(id)));
    missing.push(...some.filter((_, index) => items[index] === undefined));
  }
  return missing;
}
