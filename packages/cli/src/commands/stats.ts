import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { isPapaError } from "@papa-events/core";
import type { UseCaseStats } from "@papa-events/core/operator";
import { Command } from "commander";
import { wrongUse } from "../errors/cli-error.ts";
import { EXIT } from "../errors/exit-code.ts";
import { parseSpan } from "../input/moment.ts";
import { type Column, plainLine, tableLines, writeTable } from "../output/table.ts";
import { number } from "../output/words.ts";
import { note, type Open, type Session } from "../session/session.ts";
import { examples } from "./examples.ts";

/** How long a watch goes on while the broker is away. */
const MAX_AWAY_MS = 60_000;

const COUNTS = ["ready", "inFlight", "waiting", "dead"] as const;

/** A use case's numbers, with how they have changed since the ones before. */
interface Row extends UseCaseStats {
  readonly name: string;
  readonly before: UseCaseStats | undefined;
  /** Seconds since the ones before. */
  readonly seconds: number;
}

interface StatsOptions {
  readonly watch?: boolean;
  readonly interval?: string;
}

/** `papa stats` */
export function stats(open: Open): Command {
  return new Command("stats")
    .summary("numbers of events, live with --watch")
    .description("Count the events of all use cases, or of one: ready, in flight, waiting for a retry, dead.")
    .argument("[use-case]", "only this one")
    .option("-w, --watch", "go on until Ctrl-C, with how much changes a second")
    .option("--interval <duration>", "how often to look, with --watch (default: 2s)")
    .addHelpText("after", examples("papa stats send_welcome --watch --interval 5s"))
    .action((useCase: string | undefined, { watch = false, interval }: StatsOptions) => {
      if (interval !== undefined && !watch) throw wrongUse("--interval needs --watch.");
      const every = parseSpan(interval ?? "2s", "--interval");
      return open(
        async (session) => {
          if (watch) return watched(session, useCase, every);
          const { ops, out, paint, json } = session;
          const counted = await ops.stats(useCase);
          if (json) await out.json({ stats: counted });
          else if (Object.keys(counted).length === 0) await note(session, "The namespace has no use cases.");
          else await writeTable(out, paint, columns(false), rowsOf(counted, undefined, 0));
          return EXIT.done;
        },
        { endsBySignal: watch },
      );
    });
}

async function watched(session: Session, useCase: string | undefined, every: number): Promise<number> {
  const { ops, signal } = session;
  let before: Readonly<Record<string, UseCaseStats>> | undefined;
  let took = performance.now();
  let away: number | undefined;
  let drawn = 0;
  while (!signal.aborted) {
    try {
      const counted = await ops.stats(useCase);
      const now = performance.now();
      drawn = await draw(session, counted, before, (now - took) / 1_000, drawn);
      before = counted;
      took = now;
      away = undefined;
    } catch (error) {
      // A broker that restarts is what one watches for; one that never was there is a mistake.
      if (before === undefined || !isPapaError(error, "connection-failed")) throw error;
      away ??= performance.now();
      if (performance.now() - away > MAX_AWAY_MS) throw error;
      await note(session, "The broker cannot be reached; waiting for it.");
      drawn = 0;
    }
    await sleep(every, undefined, { signal }).catch(() => {});
  }
  return EXIT.done;
}

/** Draws the numbers over those before; gives how many lines there are now. */
async function draw(
  { out, paint, json }: Session,
  counted: Readonly<Record<string, UseCaseStats>>,
  before: Readonly<Record<string, UseCaseStats>> | undefined,
  seconds: number,
  drawn: number,
): Promise<number> {
  if (json) {
    await out.json({ stats: counted });
    return 0;
  }
  const rows = rowsOf(counted, before, seconds);
  if (!out.isTerminal) {
    const time = new Date().toISOString();
    for (const row of rows) await out.line(`${time}\t${plainLine(columns(true), row)}`);
    return 0;
  }
  const all = tableLines(columns(true), rows, out.width, paint);
  // What has scrolled out of the screen cannot be drawn over.
  const lines =
    all.length < out.height ? all : [...all.slice(0, out.height - 2), `(and ${all.length + 2 - out.height} more)`];
  const up = drawn === 0 ? "" : `\u001b[${drawn}A\u001b[0J`;
  await out.write(`${up}${lines.join("\n")}\n`);
  return lines.reduce((sum, line) => sum + Math.ceil(stripVTControlCharacters(line).length / out.width), 0);
}

function rowsOf(
  counted: Readonly<Record<string, UseCaseStats>>,
  before: Readonly<Record<string, UseCaseStats>> | undefined,
  seconds: number,
): Row[] {
  return Object.entries(counted).map(([name, numbers]) => ({ name, ...numbers, before: before?.[name], seconds }));
}

function columns(withRates: boolean): readonly Column<Row>[] {
  const counts = COUNTS.flatMap((key): Column<Row>[] => {
    const title = key === "inFlight" ? "IN FLIGHT" : key.toUpperCase();
    const count: Column<Row> = {
      title,
      text: (row) => String(row[key]),
      shown: (row) => number(row[key]),
      align: "right",
      style: (row) => (key === "dead" && row.dead > 0 ? "red" : undefined),
    };
    const rate: Column<Row> = { title: "+/s", text: (row) => rateOf(row, key), align: "right", style: () => "dim" };
    return withRates ? [count, rate] : [count];
  });
  const paused: Column<Row> = {
    title: "PAUSED",
    text: (row) => (row.paused ? "paused" : "-"),
    style: (row) => (row.paused ? "yellow" : undefined),
  };
  return [{ title: "USE CASE", text: ({ name }) => name }, ...counts, paused];
}

function rateOf(row: Row, key: (typeof COUNTS)[number]): string {
  if (row.before === undefined || row.seconds <= 0) return "-";
  const rate = (row[key] - row.before[key]) / row.seconds;
  const rounded = Math.abs(rate) < 10 ? Math.round(rate * 10) / 10 : Math.round(rate);
  return rounded > 0 ? `+${rounded}` : String(rounded === 0 ? 0 : rounded);
}
