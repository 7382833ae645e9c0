import type { DeadLetterItem, DeadLetterSelection, DeadLetters, ProgressOptions } from "@papa-events/core";
import { interrupted, notFound } from "../../errors/cli-error.ts";
import { EXIT } from "../../errors/exit-code.ts";
import { assertCanAsk, canAsk, confirm } from "../../input/confirm.ts";
import { ProgressBar } from "../../output/progress-bar.ts";
import { count, number } from "../../output/words.ts";
import { note, type Session } from "../../session/session.ts";
import { reportDone, reportDryRun } from "./report.ts";
import type { Selection } from "./selection.ts";
import { withProgress } from "./with-progress.ts";

/** What is done to dead letters. */
export interface Action {
  readonly verb: "Redrive" | "Purge";
  readonly past: "redriven" | "purged";
  /** Whether it destroys something: then who cannot be asked has to say --yes. */
  readonly destructive: boolean;
  /** @param onFound called for each that is there, where that can be seen */
  readonly run: (
    letters: DeadLetters,
    which: DeadLetterSelection,
    options: ProgressOptions,
    onFound: (item: DeadLetterItem) => void,
  ) => Promise<number>;
}

/** How it is done. */
export interface ActOptions {
  readonly dryRun: boolean;
  readonly yes: boolean;
}

/** Does something to the dead letters that are selected: asks, shows how far it is, says what came of it. */
export async function actOn(
  session: Session,
  useCase: string,
  selection: Selection,
  action: Action,
  { dryRun, yes }: ActOptions,
): Promise<number> {
  const { stdin, err, signal } = session;
  const letters = session.ops.deadLetters(useCase);
  const { verb, past, destructive } = action;
  const asks = !dryRun && !yes && (destructive || (selection.kind !== "ids" && canAsk(stdin, err)));
  if (asks) assertCanAsk(stdin, err);
  // Where nobody wants to know before, nobody waits for a search that would be made twice.
  if (dryRun || asks) {
    const found = await counted(session, letters, selection);
    if (signal.aborted) throw interrupted("Nothing was done.");
    if (found === 0) return nothingFound(session, useCase, selection, past, dryRun);
    if (dryRun) return reportDryRun(session, useCase, past, found);
    const question = `${verb} ${count(found, "dead letter")} of ${useCase}?${destructive ? " This cannot be undone." : ""}`;
    if (!(await confirm(question, { stdin, output: err, signal }))) {
      await note(session, "Nothing was done.");
      return EXIT.found;
    }
  }
  const there = new Set<string>();
  const total = selection.kind === "ids" ? selection.ids.length : undefined;
  const done = await withProgress(session, letters, past, total, (options) =>
    action.run(letters, whichOf(selection), options, ({ id }) => void (selection.kind === "ids" && there.add(id))),
  );
  if (done === 0 && !signal.aborted) return nothingFound(session, useCase, selection, past, dryRun);
  if (selection.kind === "ids" && done < selection.ids.length && !signal.aborted)
    await noteGone(session, selection.ids, there, done);
  return reportDone(session, useCase, past, done);
}

function whichOf(selection: Selection): DeadLetterSelection {
  if (selection.kind === "all") return "all";
  return selection.kind === "ids" ? selection.ids : { where: selection.where };
}

async function noteGone(
  session: Session,
  ids: readonly string[],
  there: ReadonlySet<string>,
  done: number,
): Promise<void> {
  const gone = ids.filter((id) => !there.has(id));
  // A purge shows nobody what it destroys.
  if (gone.length !== ids.length - done)
    await note(
      session,
      `${count(ids.length - done, "id")} of ${number(ids.length)} were gone: redriven or purged before, or never there.`,
    );
  else
    for (const id of gone) await note(session, `${id} is gone: it was redriven or purged before, or never was there.`);
}

/** All of none are done; one that was asked for and is not there is an error. */
function nothingFound(
  session: Session,
  useCase: string,
  { kind }: Selection,
  past: "redriven" | "purged",
  dryRun: boolean,
): Promise<number> {
  if (kind === "filter")
    throw notFound(`No dead letter of ${useCase} is like that.`, "papa dlq summary shows what there is.");
  if (kind === "ids") throw notFound(`None of these is a dead letter of ${useCase}.`);
  return dryRun ? reportDryRun(session, useCase, past, 0) : reportDone(session, useCase, past, 0);
}

async function counted(session: Session, letters: DeadLetters, selection: Selection): Promise<number> {
  if (selection.kind === "all") return letters.count();
  let found = 0;
  if (selection.kind === "ids") {
    // One after the other: a broker may have to look through all of them for each.
    for (const id of selection.ids) {
      if ((await letters.get(id)) !== undefined) found += 1;
      else await note(session, `${id} is gone: it was redriven or purged before, or never was there.`);
    }
    return found;
  }
  const { err, paintErr, json, signal } = session;
  const all = await letters.count();
  const bar = new ProgressBar(err, paintErr, !json);
  try {
    for await (const _ of letters.search({ ...selection.where, signal })) {
      found += 1;
      bar.show({ seen: found, total: all, note: "found" });
    }
  } finally {
    bar.end();
  }
  return found;
}
