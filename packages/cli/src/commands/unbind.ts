import { Command } from "commander";
import { EXIT } from "../errors/exit-code.ts";
import { confirm } from "../input/confirm.ts";
import { note, type Open } from "../session/session.ts";
import { done } from "./done.ts";
import { examples } from "./examples.ts";
import { USE_CASE } from "./use-case-argument.ts";

/** `papa unbind` */
export function unbind(open: Open): Command {
  return new Command("unbind")
    .summary("unbind a pattern that another program left behind")
    .description(
      "Unbind a pattern from a use case. Refused where an app declares it: deployed without it, the app " +
        "unbinds it itself. What this is for are bindings that a program without declarations left behind, " +
        "such as papa-events for Python.",
    )
    .argument(...USE_CASE)
    .argument("<pattern>", "as it was bound, such as 'user.*'")
    .option("-y, --yes", "do not ask")
    .addHelpText("after", examples("papa unbind send_welcome 'client.*'"))
    .action((useCase: string, pattern: string, { yes }: { readonly yes?: boolean }) =>
      open(async (session) => {
        const { ops, stdin, err, signal } = session;
        const question = `Unbind "${pattern}" from ${useCase}? Events that only it lets through no longer arrive.`;
        if (!yes && !(await confirm(question, { stdin, output: err, signal }))) {
          await note(session, "Nothing was done.");
          return EXIT.found;
        }
        await ops.unbind(useCase, pattern);
        await done(session, useCase, `Unbound "${pattern}" from ${useCase}.`);
        return EXIT.done;
      }),
    );
}
