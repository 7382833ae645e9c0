import type { UseCaseInfo } from "@papa-events/core/operator";
import { Command } from "commander";
import { EXIT } from "../errors/exit-code.ts";
import { type Column, writeTable } from "../output/table.ts";
import { ago, iso, number } from "../output/words.ts";
import { note, type Open } from "../session/session.ts";
import { examples } from "./examples.ts";

const COUNTS: readonly Column<UseCaseInfo>[] = (["ready", "inFlight", "waiting", "dead"] as const).map((key) => ({
  title: key === "inFlight" ? "IN FLIGHT" : key.toUpperCase(),
  text: ({ stats }) => String(stats[key]),
  shown: ({ stats }) => number(stats[key]),
  align: "right",
  ...(key === "dead" ? { style: ({ stats }: UseCaseInfo) => (stats.dead > 0 ? "red" : undefined) } : {}),
}));

const COLUMNS: readonly Column<UseCaseInfo>[] = [
  { title: "USE CASE", text: ({ name }) => name },
  {
    title: "PAUSED",
    text: ({ paused }) => (paused ? "paused" : "-"),
    style: ({ paused }) => (paused ? "yellow" : undefined),
  },
  ...COUNTS,
  {
    title: "LAST SEEN",
    text: ({ lastSeen }) => iso(lastSeen),
    shown: ({ lastSeen }) => (lastSeen === undefined ? "-" : ago(lastSeen)),
  },
  { title: "APPS", text: ({ apps }) => apps.map(({ name }) => name).join(", ") || "-" },
  { title: "PATTERNS", text: ({ patterns }) => patterns.join(", ") || "-" },
];

/** `papa use-cases` */
export function useCases(open: Open): Command {
  return new Command("use-cases")
    .summary("who handles what, and how much waits and failed")
    .description("List every use case that the namespace remembers, also those that no instance runs.")
    .addHelpText("after", examples("papa use-cases --json | jq '.useCases[] | select(.stats.dead > 0).name'"))
    .action(() =>
      open(async (session) => {
        const { ops, out, paint, json } = session;
        const useCases = await ops.useCases();
        if (json) await out.json({ useCases });
        else if (useCases.length === 0) await note(session, "The namespace has no use cases.");
        else await writeTable(out, paint, COLUMNS, useCases);
        return EXIT.done;
      }),
    );
}
