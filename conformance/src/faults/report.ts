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

/** A table, the same for a terminal and for a document. */
export function tableOf(counts: readonly Count[]): string {
  const rows = [COLUMNS.map(([title]) => title), ...counts.map((count) => COLUMNS.map(([, value]) => value(count)))];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(" | ")} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  const notes = counts.flatMap(({ scenario, what, notes: measured, problems }) => [
    `- ${scenario}: ${[what, ...measured].join("; ")}${problems.map((problem) => `; **${problem}**`).join("")}`,
  ]);
  return [line(head), rule, ...body.map(line), "", ...notes].join("\n");
}

/** The document with the tables of these brokers, and those that it had of others. */
export function documentOf(before: string, tables: ReadonlyMap<string, string>): string {
  const sections = new Map(
    before
      .split(/^## /m)
      .slice(1)
      .map((section) => [section.slice(0, section.indexOf("\n")), section.slice(section.indexOf("\n")).trim()]),
  );
  for (const [name, table] of tables) sections.set(name, table);
  const all = [...sections].sort(([a], [b]) => a.localeCompare(b, "en"));
  return [HEAD, ...all.map(([name, table]) => `## ${name}\n\n${table}\n`)].join("\n");
}

function whole(count: number): string {
  return count.toLocaleString("en");
}

function mib(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(0)} MiB`;
}
