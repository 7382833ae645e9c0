import { Command } from "commander";
import type { Open } from "../../session/session.ts";
import { examples } from "../examples.ts";
import { exportCommand } from "./export.ts";
import { list } from "./list.ts";
import { purge } from "./purge.ts";
import { redrive } from "./redrive.ts";
import { show } from "./show.ts";
import { summary } from "./summary.ts";

/** `papa dlq` */
export function dlq(open: Open): Command {
  const command = new Command("dlq")
    .summary("dead letters: look, mend, send back, destroy")
    .description(
      "Dead letters are events that a use case gave up on. They are kept until somebody sends them back or " +
        "destroys them.",
    )
    .helpCommand(false)
    .addHelpText(
      "after",
      examples(
        "papa dlq summary",
        "papa dlq list send_welcome --text ECONNREFUSED --since 2h",
        "papa dlq redrive send_welcome --text ECONNREFUSED",
      ),
    );
  for (const make of [summary, list, show, redrive, purge, exportCommand]) command.addCommand(make(open));
  return command;
}
