import type { Count } from "./run-scenario.ts";

const HEAD = `# Faults

Written by \`npm run faults -- <broker> --write\`, not by hand. Each row: so many events are published, each is handled with
one output, each output is collected, all in processes of their own, while something goes wrong again and again.
*handled* are different events, which may be more than *confirmed*: a publisher that is killed may not have heard of a
confirmation. *lost*: confirmed and never handled. *dead*: dead letters, though no event fails more than once. *outputs lost*: handled, and the
output never came. Duplicates are no fault: at least once is promised, and they are counted here.
`;

const COLUMNS = [
  ["scenario", ({ scenario }: Count) => scenario],
  ["times", ({ times }: Count) => whole(times)],
  ["confirmed", ({ confirmed }: Count) => whole(confirmed)],
  ["handled", ({ handled }: Count) => whole(handled)],
  ["lost", ({ lost }: Count) => whole(lost)],
  ["dead", ({ dead }: Count) => whole(dead)],
  ["outputs lost", ({ lostOutputs }: Count) => whole(lostOutputs)],
  ["duplicates", ({ duplicates }: Count) => whole(duplicates)],
  ["outputs twice", ({ duplicateOutputs }: Count) => whole(duplicateOutputs)],
  ["time", ({ seconds }: Count) => `${seconds.toFixed(0)} s`],
  ["peak RSS publishing", ({ peakMemory }: Count) => mib(peakMemory.publish)],
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
  const [, , ...body] = lines.filter((line) => line.startsWith("| "));
  return body.map((line) => {
    const cells = line.split("|").slice(1, -1);
    const scenario = cells[0]?.trim() ?? "";
    const note = lines.find((each) => each.startsWith(`- ${scenario}: `)) ?? "";
    return { cells: cells.map((cell) => cell.trim()), note };
  });
}

function whole(count: number): string {
  return count.toLocaleString("en");
}

function mib(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(0)} MiB`;
}
