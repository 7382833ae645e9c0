// npm run faults [-- --help]: counts what faults lose and repeat. Ends with 1 if anything is lost.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { targets } from "./brokers/targets.ts";
import { type Choice, readCommandLine, UsageError, usage } from "./command-line.ts";
import type { Count } from "./counting/count.ts";
import { documentOf, tableOf } from "./counting/report.ts";
import { runScenario } from "./run-scenario.ts";
import { scenarios } from "./scenarios/index.ts";

const DOCUMENT = "docs/faults.md";

const known = { targets, scenarios };
const { brokers, scenarios: scenariosOn, events, times, write } = choice();

let kept = true;
for (const name of brokers) {
  const counts = await countOn(name);
  kept &&= counts.every(({ problems }) => problems.length === 0);
  console.log(`\n${name}, ${events.toLocaleString("en")} events each\n\n${tableOf(counts)}\n`);
}
if (write) console.log(`Written to ${DOCUMENT}`);
process.exit(kept ? 0 : 1);

function onProgress(done: string): void {
  console.log(`  ${done}`);
}

/** Writes it at once: what is counted so far outlives a run that is stopped. */
function writeDown(broker: string, counts: readonly Count[]): void {
  const before = existsSync(DOCUMENT) ? readFileSync(DOCUMENT, "utf8") : "";
  writeFileSync(DOCUMENT, documentOf(before, new Map([[broker, counts]])));
}

async function countOn(name: string): Promise<Count[]> {
  const target = targets[name];
  if (target === undefined) return [];
  const broker = await target.start();
  const counts: Count[] = [];
  try {
    for (const [index, scenario] of scenariosOn(name).entries()) {
      console.log(`${name}: ${scenario.name}: ${scenario.what} ...`);
      const namespace = `faults-${Date.now().toString(36)}-${index}`;
      const fewer = times === undefined ? undefined : Math.min(times, scenario.times);
      const count = await runScenario(scenario, { target, broker, namespace, events, times: fewer, onProgress });
      counts.push(count);
      if (write) writeDown(name, counts);
      console.log(
        `  ${count.seconds.toFixed(0)} s, lost ${count.lost}, again ${JSON.stringify(count.repeats)}` +
          count.problems.map((problem) => `\n  PROBLEM: ${problem}`).join(""),
      );
    }
  } finally {
    await broker.stop(counts.some(({ problems }) => problems.length > 0));
  }
  return counts;
}

function choice(): Choice {
  try {
    const read = readCommandLine(process.argv.slice(2), known);
    if (read !== "help") return read;
    console.log(usage(known));
    return process.exit(0);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`faults: ${error.message}; see npm run faults -- --help`);
    return process.exit(2);
  }
}
