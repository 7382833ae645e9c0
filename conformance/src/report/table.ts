/** What the report says of one test on one broker. */
export interface Cell {
  readonly outcome: "kept" | "weaker" | "not-offered" | "not-yet" | "broken";
  /** What was tested instead, why it cannot happen, or why it is not kept yet. */
  readonly note?: string | undefined;
}

/** A transport and its broker's version, and its tests by name (`R1 ...`). */
export type Column = ReadonlyMap<string, Cell>;

/** All columns by their title (`memory in process`). */
export type Report = ReadonlyMap<string, Column>;

const WORDS = {
  kept: "kept",
  weaker: "weaker*",
  "not-offered": "cannot happen*",
  "not-yet": "**not yet***",
  broken: "**broken**",
} as const;

const HEAD = `# Conformance

Written by the run of the conformance suite, not by hand. Each row is a test of a rule of [the contract](contract.md), each
column a transport on a version of its broker. *kept*: as the rule says. *weaker*: the transport does not claim it in full,
and what it documents instead was tested. *cannot happen*: the broker gives no occasion. *not yet*: the test fails, and the
transport says so itself. The three are explained below the table.
`;

/** The report as a document. */
export function writeReport(report: Report): string {
  const titles = [...report.keys()].sort();
  const tests = [...new Set(titles.flatMap((title) => [...(report.get(title)?.keys() ?? [])]))].sort(inOrder);
  const cell = (title: string, test: string) => {
    const found = report.get(title)?.get(test);
    return found === undefined ? "not run" : WORDS[found.outcome];
  };
  const rows = tests.map((test) => row([test, ...titles.map((title) => cell(title, test))]));
  const table = [row(["rule", ...titles]), row(["---", ...titles.map(() => "---")]), ...rows].join("\n");
  const notes = titles.map((title) => notesOf(title, report.get(title) ?? new Map()));
  return `${[HEAD, table, "", ...notes].join("\n").trimEnd()}\n`;
}

/** Reads a report back, so that a run of some brokers keeps what is known of the others. */
export function readReport(text: string): Report {
  const report = new Map<string, Map<string, Cell>>();
  const [head, , ...rows] = text.split("\n").filter((line) => line.startsWith("| "));
  const titles = cells(head ?? "").slice(1);
  const notes = readNotes(text);
  for (const line of rows) {
    const [test = "", ...words] = cells(line);
    for (const [index, word] of words.entries()) {
      const outcome = (Object.keys(WORDS) as Cell["outcome"][]).find((each) => WORDS[each] === word);
      const title = titles[index];
      if (outcome === undefined || title === undefined) continue;
      const column = report.get(title) ?? new Map<string, Cell>();
      report.set(title, column.set(test, { outcome, note: notes.get(`${title}: ${test}`) }));
    }
  }
  return report;
}

function notesOf(title: string, column: Column): string {
  const lines = [...column]
    .filter(([, { note }]) => note !== undefined)
    .sort(([a], [b]) => inOrder(a, b))
    .map(([test, { note }]) => `- ${test}: *${note}*`);
  return lines.length === 0 ? "" : [`## ${title}`, "", ...lines, ""].join("\n");
}

function readNotes(text: string): Map<string, string> {
  const notes = new Map<string, string>();
  let title = "";
  for (const line of text.split("\n")) {
    if (line.startsWith("## ")) title = line.slice(3);
    const found = /^- (.*): \*(.*)\*$/.exec(line);
    if (found?.[1] !== undefined && found[2] !== undefined) notes.set(`${title}: ${found[1]}`, found[2]);
  }
  return notes;
}

function row(values: readonly string[]): string {
  return `| ${values.map((value) => value.replaceAll("|", "\\|")).join(" | ")} |`;
}

function cells(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((value) => value.trim().replaceAll("\\|", "|"));
}

/** The order of the contract. */
function inOrder(a: string, b: string): number {
  const place = (test: string) => "RPHTDL".indexOf(test.charAt(0)) * 100 + Number.parseInt(test.slice(1), 10);
  return place(a) - place(b) || a.localeCompare(b, "en");
}
