import { EXIT } from "../../errors/exit-code.ts";
import { safe } from "../../output/safe-text.ts";
import { count } from "../../output/words.ts";
import { note, type Session } from "../../session/session.ts";

/** Says how many were done, also when it was ended early; and to programs how many were gone, where some were. */
export async function reportDone(
  session: Session,
  useCase: string,
  past: "redriven" | "purged",
  done: number,
  gone = 0,
): Promise<number> {
  const { out, json, signal } = session;
  const ended = signal.aborted;
  if (json) await out.json({ [past]: done, ...(gone > 0 && { gone }) });
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
  past: "redriven" | "purged",
  found: number,
): Promise<number> {
  if (json) await out.json({ [past]: 0, found });
  else await out.line(safe(`${count(found, "dead letter")} of ${useCase} would be ${past}.`));
  return EXIT.done;
}
