import type { Finding } from "@papa-events/core/operator";
import { Command } from "commander";
import { EXIT } from "../errors/exit-code.ts";
import { safe } from "../output/safe-text.ts";
import { note, type Open, type Session } from "../session/session.ts";
import { examples } from "./examples.ts";

const LOOKS = { error: "red", warning: "yellow", info: "cyan" } as const;

/** `papa doctor` */
export function doctor(open: Open): Command {
  return new Command("doctor")
    .summary("what is wrong, what it means, what to do")
    .description(
      "Look at the broker and the namespace: version, settings, rights, clocks, retention, durability, what " +
        "is held up, use cases that nobody runs. Ends with 1 where something is wrong or may go wrong.",
    )
    .addHelpText("after", examples("papa doctor --json | jq -r '.findings[] | select(.severity == \"error\").what'"))
    .action(() =>
      open(async (session) => {
        const findings = await session.ops.diagnose();
        await report(session, findings);
        return findings.some(({ severity }) => severity !== "info") ? EXIT.found : EXIT.done;
      }),
    );
}

async function report(session: Session, findings: readonly Finding[]): Promise<void> {
  const { out, paint, json } = session;
  if (json) return out.json({ findings });
  if (findings.length === 0) return note(session, "Nothing is wrong.");
  for (const [index, { severity, what, why, remedy }] of findings.entries()) {
    if (!out.isTerminal) {
      await out.line([severity, what, why, remedy].map(safe).join("\t"));
      continue;
    }
    if (index > 0) await out.line();
    await out.line(`${paint(LOOKS[severity], severity)}  ${paint("bold", safe(what))}`);
    await out.line(`  ${safe(why)}`);
    await out.line(`  ${paint("green", "->")} ${safe(remedy)}`);
  }
}
