import type { DeadLetters } from "@papa-events/core";
import { interrupted, notFound } from "../../errors/cli-error.ts";
import { EXIT } from "../../errors/exit-code.ts";
import { canAsk, confirm } from "../../input/confirm.ts";
import { withInput } from "../../input/input-file.ts";
import { count, ranges } from "../../output/words.ts";
import { note, type Session } from "../../session/session.ts";
import type { ActOptions } from "./act-on.ts";
import { MendedFile } from "./mended-file.ts";
import { reportDone, reportDryRun } from "./report.ts";
import { withProgress } from "./with-progress.ts";

/** A dead letter that was destroyed does not come back, but its event can. */
const ANEW =
  "What was purged can be published anew, to all use cases that want it: papa publish --many takes its lines.";

/** Sends the dead letters of a file back, with the payloads of the file. Nothing is sent unless all of it can be read. */
export function redriveFile(session: Session, useCase: string, path: string, options: ActOptions): Promise<number> {
  return withInput(path, session, async (file) =>
    redriveMended(session, useCase, await MendedFile.check(file, useCase), options),
  );
}

async function redriveMended(
  session: Session,
  useCase: string,
  mended: MendedFile,
  { dryRun, yes }: ActOptions,
): Promise<number> {
  const { ops, stdin, err, signal } = session;
  const letters = ops.deadLetters(useCase);
  const { ids } = mended;
  if (dryRun) {
    const there = await found(letters, mended, signal);
    if (signal.aborted) throw interrupted("Nothing was done.");
    await noteGone(session, mended.gone);
    return reportDryRun(session, useCase, "redriven", there);
  }
  if (!yes && canAsk(stdin, err)) {
    const question = `Redrive ${count(ids.length, "dead letter")} of ${useCase} with the payloads of the file?`;
    if (!(await confirm(question, { stdin, output: err, signal }))) {
      await note(session, "Nothing was done.");
      return EXIT.found;
    }
  }
  // One call for all of them: some brokers go through all their dead letters for each.
  const done = await withProgress(session, letters, "redriven", ids.length, (progress) =>
    letters.redrive(ids, { ...progress, payload: (item) => mended.payloadFor(item) }),
  );
  if (done === 0 && !signal.aborted)
    throw notFound("None of the file's dead letters is there any more: redriven or purged before.", ANEW);
  const gone = signal.aborted ? [] : mended.gone;
  await noteGone(session, gone);
  return reportDone(session, useCase, "redriven", done, gone.length);
}

/** Whoever has nothing but the line left of a dead letter should know, and what can be done. */
async function noteGone(session: Session, lines: readonly number[]): Promise<void> {
  if (lines.length === 0) return;
  const are = lines.length === 1 ? "is" : "are";
  const which = `${count(lines.length, "dead letter")} of the file ${are} gone, redriven or purged before: line ${ranges(lines)}.`;
  await note(session, `${which} ${ANEW}`);
}

/** How many of the file's dead letters are there, by one look at all. */
async function found(letters: DeadLetters, mended: MendedFile, signal: AbortSignal): Promise<number> {
  let there = 0;
  for await (const { id } of letters.search({ signal })) if (mended.find(id)) there += 1;
  return there;
}
