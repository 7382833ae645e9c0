// npm run faults -- broker ... [scenario ...] [--events n] [--times n] [--write]: counts what faults lose and repeat. Ends
// with 1 if anything is lost; --write puts the tables into docs/faults.md.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { redisScenarios } from "./redis-scenarios.ts";
import { documentOf, tableOf } from "./report.ts";
import { type Count, runScenario } from "./run-scenario.ts";
import { scenarios } from "./scenarios.ts";
import { targets } from "./targets.ts";

const DOCUMENT = "docs/faults.md";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    events: { type: "string", default: "20000" },
    times: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
const brokers = positionals.filter((name) => Object.hasOwn(targets, name));
const named = positionals.filter((name) => !brokers.includes(name));
const all = [...scenarios, ...redisScenarios];
const unknown = named.find((name) => !all.some((scenario) => scenario.name === name));
if (unknown !== undefined) refuse(`"${unknown}" is neither a broker nor a scenario`);
if (brokers.length === 0) refuse("a broker is needed");
const events = wholeNumber("--events", values.events);
const times = values.times === undefined ? undefined : wholeNumber("--times", values.times);

const counted = new Map<string, readonly Count[]>();
let kept = true;
for (const name of brokers) {
  const counts = await countOn(name);
  counted.set(name, counts);
  kept &&= counts.every(({ problems }) => problems.length === 0);
  console.log(`\n${name}, ${events.toLocaleString("en")} events each\n\n${tableOf(counts)}\n`);
}
if (values.write) {
  writeFileSync(DOCUMENT, documentOf(existsSync(DOCUMENT) ? readFileSync(DOCUMENT, "utf8") : "", counted));
  console.log(`Written to ${DOCUMENT}`);
}
process.exit(kept ? 0 : 1);

async function countOn(name: string): Promise<Count[]> {
  const target = targets[name];
  if (target === undefined) return [];
  const broker = await target.start();
  const wanted = [...scenarios, ...(target.scenarios ?? [])].filter(
    ({ name: scenario }) => named.length === 0 || named.includes(scenario),
  );
  const counts: Count[] = [];
  try {
    for (const [index, scenario] of wanted.entries()) {
      if (scenario.clustered && broker.nodes.length === 0) continue;
      console.log(`${name}: ${scenario.name}: ${scenario.what} ...`);
      const namespace = `faults-${Date.now().toString(36)}-${index}`;
      const fewer = times === undefined ? undefined : Math.min(times, scenario.times);
      const count = await runScenario(scenario, { target, broker, namespace, events, times: fewer });
      counts.push(count);
      console.log(
        `  ${count.seconds.toFixed(0)} s, lost ${count.lost}, duplicates ${count.duplicates}` +
          count.problems.map((problem) => `\n  PROBLEM: ${problem}`).join(""),
      );
    }
  } finally {
    await broker.stop(counts.some(({ problems }) => problems.length > 0));
  }
  return counts;
}

function wholeNumber(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) refuse(`${option} is a whole number of at least 1`);
  return number;
}

function refuse(problem: string): never {
  console.error(
    `${problem}; brokers: ${Object.keys(targets).join(", ")}; scenarios: ${all.map(({ name }) => name).join(", ")}`,
  );
  process.exit(2);
}
