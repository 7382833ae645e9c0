import { type CountsByUseCase, deadInAll } from "./counts.ts";
import { bold, cut, dim, green, red, shownCount, shownTime, tableLines, wrapped } from "./look.ts";
import type { Tally } from "./tally.ts";
import type { Outside } from "./use-cases/index.ts";

export interface Summary {
  readonly tally: Tally;
  readonly expected: CountsByUseCase;
  /** What is off, a line each. */
  readonly problems: readonly string[];
}

const HEADER = ["use case", "delivered", "handled", "retried", "dead", "p50", "p99", "files"];

/** How long a line may be. */
const WIDTH = 79;

/** A line per use case, then what is off, if anything. */
export function summaryLines({ tally, expected, problems }: Summary): readonly string[] {
  const rows = Object.entries(tally.counts).map(([useCase, counts]) => {
    const latencies = tally.latencies(useCase);
    const isOff = problems.some((problem) => problem.startsWith(`${useCase}:`));
    return [
      useCase,
      shownCount(counts.delivered),
      shownCount(counts.handled),
      shownCount(counts.retried),
      shownCount(deadInAll(counts)),
      percentile(latencies, 0.5),
      percentile(latencies, 0.99),
      isOff ? red("OFF") : green("agree"),
    ];
  });
  const [head = "", ...body] = tableLines(
    [HEADER, ...rows],
    ["left", "right", "right", "right", "right", "right", "right", "left"],
  );
  return [dim(head), ...body, "", ...verdict(problems, expected, tally.duplicates)];
}

/** How many events became dead letters for which reason, and what was wrong with one of them. */
export function deadLines(tally: Tally): readonly string[] {
  return Object.entries(tally.counts).flatMap(([useCase, { dead }]) =>
    Object.entries(dead).flatMap(([reason, count]) => [
      `  ${useCase.padEnd(22)}${shownCount(count)} ${reason}`,
      ...wrapped(tally.complaint(useCase, reason), WIDTH - 24).map((line) => dim(`${" ".repeat(24)}${line}`)),
    ]),
  );
}

/** What the use cases have written down, so that one sees that they did their work. */
export function harvestLines({ seen, triaged, announced, deliveriesOf, mirror }: Outside): readonly string[] {
  const top = [...deliveriesOf].sort(([, a], [, b]) => b - a).slice(0, 3);
  const mirrored = [...mirror].slice(0, 1).map(([pullRequest, title]) => `${pullRequest} "${title}"`);
  return [
    ["audit_log", `saw ${seen.size} different event names`],
    ...[...triaged].slice(0, 3).map((what) => ["apply_triage", what]),
    ...[...announced].slice(0, 3).map((what) => ["announce_release", what]),
    ["count_contributors", top.map(([login, count]) => `${login} ${shownCount(count)}`).join(", ")],
    ...mirrored.map((what) => ["mirror_pull_requests", what]),
  ].map(([useCase = "", what = ""]) => cut(`  ${useCase.padEnd(22)}${what}`, WIDTH));
}

function verdict(problems: readonly string[], expected: CountsByUseCase, duplicates: number): readonly string[] {
  const lines =
    problems.length === 0
      ? [`${bold(green("All counts match"))} what the files say of ${Object.keys(expected).length} use cases.`]
      : [bold(red("Some counts are off:")), ...problems.map((problem) => `  ${problem}`)];
  if (duplicates === 0) return [...lines, "No event was handled twice."];
  return [...lines, `${shownCount(duplicates)} were handled once more, as "at least once" allows; each counts once.`];
}

function percentile(sorted: readonly number[], part: number): string {
  const value = sorted[Math.ceil(sorted.length * part) - 1];
  return value === undefined ? "-" : shownTime(value);
}
