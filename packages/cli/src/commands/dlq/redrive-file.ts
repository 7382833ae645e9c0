import type { DeadLetters } from "@papa-events/core";
import { notFound } from "../../errors/cli-error.ts";
import { EXIT } from "../../errors/exit-code.ts";
import { canAsk, confirm } from "../../input/confirm.ts";
import { withInput } from "../../input/input-file.ts";
import { count } from "../../output/words.ts";
import { note, type Session } from "../../session/session.ts";
import type { ActOptions } from "./act-on.ts";
import { MendedFile } from "./mended-file.ts";
import { reportDone, reportDryRun } from "./report.ts";
import { withProgress } from "./with-progress.ts";

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
  if (dryRun) return reportDryRun(session, useCase, "redriven", await found(letters, mended, signal));
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
  if (done === 0 && !signal.aborted) throw notFound("None of the file's dead letters is there any more.");
  if (mended.gone > 0 && !signal.aborted)
    await note(session, `${count(mended.gone, "dead letter")} of the file were gone: redriven or purged before.`);
  return reportDone(session, useCase, "redriven", done);
}

/** How many of the file's dead letters are there, by one look at all. */
async function found(letters: DeadLetters, mended: MendedFile, signal: AbortSignal): Promise<number> {
  let there = 0;
  for await (const { id } of letters.search({ signal })) if (mended.has(id)) there += 1;
  return there;
}
