import type { DeadLetterProgress, DeadLetters, ProgressOptions } from "@papa-events/core";
import { FailedMidway } from "../../errors/cli-error.ts";
import { ProgressBar } from "../../output/progress-bar.ts";
import { count, number } from "../../output/words.ts";
import type { Session } from "../../session/session.ts";

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
