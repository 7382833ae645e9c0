import { isDeepStrictEqual } from "node:util";
import type { DeadLetterItem } from "@papa-events/core";
import { CliError, FailedMidway, interrupted, invalidInput } from "../../errors/cli-error.ts";
import { EXIT } from "../../errors/exit-code.ts";
import { canAsk, confirm } from "../../input/confirm.ts";
import { type EditedText, edit, editorOf } from "../../input/editor.ts";
import { note, type Session } from "../../session/session.ts";
import { reportDone } from "./report.ts";
import { gone } from "./show.ts";

/** Has the payload of a dead letter mended in an editor, and sends it back. */
export async function redriveEdited(session: Session, useCase: string, id: string): Promise<number> {
  const { ops, stdin, err, env, signal } = session;
  const editor = editorOf(env, canAsk(stdin, err));
  const letters = ops.deadLetters(useCase);
  const item = await letters.get(id);
  if (item === undefined) throw gone(useCase, id);
  const before = textOf(item);
  const { edited, payload } = await mended(session, await edit(before, editor));
  if (signal.aborted) throw interrupted(`Nothing was sent; what was edited is in ${edited.path}`);
  if (edited.text === before || ("payload" in item && isDeepStrictEqual(payload, item.payload))) {
    await edited.discard();
    await note(session, "The payload is unchanged; nothing was sent. Without --edit it goes back as it is.");
    return EXIT.found;
  }
  const done = await letters.redrive([id], { payload }).catch((error: unknown) => {
    throw new FailedMidway(error, `What was edited is in ${edited.path}`);
  });
  await edited.discard();
  if (done === 0) throw gone(useCase, id);
  return reportDone(session, useCase, "redriven", done);
}

function textOf(item: DeadLetterItem): string {
  if ("payload" in item) return `${JSON.stringify(item.payload, undefined, 2)}\n`;
  return Buffer.from(item.body).toString();
}

/** What was edited as JSON; a slip is no reason to begin again. */
async function mended(
  session: Session,
  edited: EditedText,
): Promise<{ readonly edited: EditedText; readonly payload: unknown }> {
  try {
    return { edited, payload: JSON.parse(edited.text) };
  } catch (error) {
    const problem = `What was edited is not JSON: ${(error as Error).message}.`;
    const { stdin, err, signal } = session;
    const again =
      canAsk(stdin, err) && (await confirm(`${problem} Edit it again?`, { stdin, output: err, signal }).catch(keep));
    if (again) return mended(session, await edited.again());
    throw invalidInput(problem, `Nothing was sent; it is in ${edited.path}`);
  }
}

/** Ctrl-C at the question is no. */
function keep(error: unknown): false {
  if (error instanceof CliError && error.code === "interrupted") return false;
  throw error;
}
