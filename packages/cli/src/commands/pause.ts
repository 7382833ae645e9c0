import { Command } from "commander";
import { EXIT } from "../errors/exit-code.ts";
import { count } from "../output/words.ts";
import type { Open, Session } from "../session/session.ts";
import { done } from "./done.ts";
import { examples } from "./examples.ts";
import { USE_CASE } from "./use-case-argument.ts";

/** `papa pause` */
export function pause(open: Open): Command {
  return new Command("pause")
    .summary("stop handling a use case, on all instances")
    .description(
      "Have all instances stop handling a use case within 5 s, until it is resumed, also over restarts. " +
        "Handlers that run end; events are kept, and retries go on waiting.",
    )
    .argument(...USE_CASE)
    .addHelpText("after", examples("papa pause send_welcome"))
    .action((useCase: string) =>
      open(async (session) => {
        await session.ops.pause(useCase);
        await done(
          session,
          useCase,
          `Paused ${useCase}${await waitingOf(session, useCase)}. To go on: papa resume ${useCase}`,
        );
        return EXIT.done;
      }),
    );
}

/** `papa resume` */
export function resume(open: Open): Command {
  return new Command("resume")
    .summary("handle a paused use case again")
    .description("End a pause: within 5 s all instances handle the use case's events again.")
    .argument(...USE_CASE)
    .addHelpText("after", examples("papa resume send_welcome"))
    .action((useCase: string) =>
      open(async (session) => {
        await session.ops.resume(useCase);
        await done(session, useCase, `Resumed ${useCase}${await waitingOf(session, useCase)}.`);
        return EXIT.done;
      }),
    );
}

/** For people only: what was asked for is done, whether or not it can be counted. */
async function waitingOf({ ops, json }: Session, useCase: string): Promise<string> {
  if (json) return "";
  const stats = await ops.stats(useCase).catch(() => ({}) as Awaited<ReturnType<typeof ops.stats>>);
  const numbers = stats[useCase];
  return numbers === undefined ? "" : `; ${count(numbers.ready + numbers.waiting, "event")} waiting`;
}
