import type { Count } from "./count.ts";

const HEAD = `# Faults

Written by \`npm run faults -- <broker> --write\`, not by hand. Each row: so many events are published, each is handled with
one output, each output is collected, all in processes of their own, while something goes wrong again and again.

- *handled* are different events, which may be more than *confirmed*: a publisher that is killed may not have heard of a
  confirmation. *shares*: which part of it each handling process had, or those that came one after another in its place.
- *lost*: confirmed and never handled. *outputs lost*: handled, and the output never came. *dead*: dead letters, though no event
  fails more than once.
- *again* are calls of the handler for what had been handled. At least once is promised, so they are no fault, and counted by
  cause: *kill*, the process that had it was killed before its outcome was stored; *reply*, the broker, or its reply, was lost
  within 5 s before or since; *taken*, neither: another process took over what a living one had, or an event that was stored again
  then had waited for longer.
- *outputs again*, and in brackets those whose event was handled once: stored again because the reply was lost, or collected by a
  process that was killed before that was stored.
- The last two columns are the most memory of a publishing and of a handling process.
- Redis runs with its default, \`appendfsync everysec\`, where a row does not say otherwise. While the disk is slow a kill of the server
  may then lose up to two seconds of what it had answered ([why](brokers/redis-streams.md#durability)).
`;

const COLUMNS = [
  ["scenario", ({ scenario }: Count) => scenario],
  ["times", ({ times }: Count) => whole(times)],
  ["confirmed", ({ confirmed }: Count) => whole(confirmed)],
  ["handled", ({ handled }: Count) => whole(handled)],
  ["shares, %", ({ shares }: Count) => shares.map((share) => share.toFixed(0)).join(" ")],
  ["lost", ({ lost }: Count) => whole(lost)],
  ["outputs lost", ({ lostOutputs }: Count) => whole(lostOutputs)],
  ["dead", ({ dead }: Count) => whole(dead)],
  ["again: kill", ({ repeats }: Count) => whole(repeats.kill)],
  ["reply", ({ repeats }: Count) => whole(repeats.lostReply)],
  ["taken", ({ repeats }: Count) => whole(repeats.takeOver)],
  [
    "outputs again",
    ({ duplicateOutputs, outputsAlone }: Count) => `${whole(duplicateOutputs)} (${whole(outputsAlone)})`,
  ],
  ["time", ({ seconds }: Count) => `${seconds.toFixed(0)} s`],
  ["publishing", ({ peakMemory }: Count) => mib(peakMemory.publish)],
  ["handling", ({ peakMemory }: Count) => mib(peakMemory.handle)],
] as const;

/** A scenario in a table. */
interface Row {
  readonly cells: readonly string[];
  /** The line below the table. */
  readonly note: string;
}

/** A table, the same for a terminal and for a document. */
export function tableOf(counts: readonly Count[]): string {
  return write(counts.map(rowOf));
}

/** The document with these counts by broker, and all that it had of other brokers and scenarios. */
export function documentOf(before: string, counts: ReadonlyMap<string, readonly Count[]>): string {
  const sections = new Map<string, Row[]>();
  for (const section of before.split(/^## /m).slice(1)) {
    const [name = "", ...lines] = section.split("\n");
    sections.set(name, read(lines));
  }
  for (const [name, counted] of counts) {
    const rows = new Map((sections.get(name) ?? []).map((row) => [row.cells[0], row]));
    for (const row of counted.map(rowOf)) rows.set(row.cells[0], row);
    sections.set(name, [...rows.values()]);
  }
  const all = [...sections].sort(([a], [b]) => a.localeCompare(b, "en"));
  return [HEAD, ...all.map(([name, rows]) => `## ${name}\n\n${write(rows)}\n`)].join("\n");
}

function rowOf(count: Count): Row {
  const { scenario, what, notes, problems } = count;
  const note = [what, ...notes, ...problems.map((problem) => `**${problem}**`)].join("; ");
  return { cells: COLUMNS.map(([, value]) => value(count)), note: `- ${scenario}: ${note}` };
}

function write(rows: readonly Row[]): string {
  const cells = [COLUMNS.map(([title]) => title), ...rows.map((row) => row.cells)];
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const fill = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  const [head = "", ...body] = cells.map((row) => `| ${row.map(fill).join(" | ")} |`);
  const rule = widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [head, `| ${rule.join(" | ")} |`, ...body, "", ...rows.map(({ note }) => note)].join("\n");
}

function read(lines: readonly string[]): Row[] {
  const [head = [], , ...body] = lines.filter((line) => line.startsWith("| ")).map(cellsOf);
  return body.map((before) => {
    const scenario = before[0] ?? "";
    const note = lines.find((each) => each.startsWith(`- ${scenario}: `)) ?? "";
    // A version before may have had other columns.
    return { cells: COLUMNS.map(([title]) => before[head.indexOf(title)] ?? "-"), note };
  });
}

function cellsOf(line: string): string[] {
  const cells = line.split("|").slice(1, -1);
  return cells.map((cell) => cell.trim());
}

function whole(count: number): string {
  return count.toLocaleString("en");
}

function mib(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(0)} MiB`;
}
