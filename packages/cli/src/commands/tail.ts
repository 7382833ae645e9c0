import type { TailedEvent } from "@papa-events/core/operator";
import { Command } from "commander";
import { EXIT } from "../errors/exit-code.ts";
import { parseCount } from "../input/numbers.ts";
import { tailedEventJson } from "../output/json-items.ts";
import { safe, safeJson } from "../output/safe-text.ts";
import { cut } from "../output/table.ts";
import { count } from "../output/words.ts";
import { note, type Open, type Session } from "../session/session.ts";
import { examples } from "./examples.ts";

/** `papa tail` */
export function tail(open: Open): Command {
  return new Command("tail")
    .summary("watch events as they are published")
    .description("Print events as they are published, until Ctrl-C. No use case notices, and nothing is left behind.")
    .argument("<pattern...>", "which events: a name, or a pattern such as 'user.*' or '#' (quoted, for the shell)")
    .option("--limit <n>", "end after so many events")
    .addHelpText("after", examples("papa tail 'user.#' --json | jq .payload"))
    .action((patterns: readonly string[], { limit }: { readonly limit?: string }) => {
      const most = limit === undefined ? Number.POSITIVE_INFINITY : parseCount(limit, "--limit");
      return open((session) => show(session, patterns, most), { endsBySignal: true });
    });
}

async function show(session: Session, patterns: readonly string[], most: number): Promise<number> {
  const { ops, out, json, signal } = session;
  const onStart = () => void note(session, `Watching ${patterns.join(", ")}; Ctrl-C ends it.`);
  const events = ops.tail(patterns, { signal, onStart });
  let shown = 0;
  for await (const event of events) {
    if (event.dropped > 0) await note(session, `(${count(event.dropped, "event")} could not be shown in time)`);
    if (json) await out.json(tailedEventJson(event));
    else await out.line(lineOf(session, event));
    shown += 1;
    if (shown >= most) break;
  }
  return EXIT.done;
}

function lineOf({ out, paint }: Session, event: TailedEvent): string {
  const { id, name, time } = event;
  const payload = "payload" in event ? safeJson(event.payload) : `(not JSON, ${count(event.body.length, "byte")})`;
  if (!out.isTerminal) return [time.toISOString(), safe(name), safe(id), payload].join("\t");
  const start = `${time.toISOString().slice(11, 23)}  ${safe(name)}  `;
  const room = Math.max(20, out.width - start.length);
  return `${paint("dim", time.toISOString().slice(11, 23))}  ${paint("bold", safe(name))}  ${cut(payload, room)}`;
}
