// npm run bench [-- --help]: measures side by side, prints tables, writes bench/results/<time>.json.
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { benchmarks } from "./benchmarks/index.ts";
import { withBroker } from "./brokers.ts";
import { type Choice, readCommandLine, UsageError, usage } from "./command-line.ts";
import { type Row, rowsOf, tableOf } from "./report.ts";
import { runBenchmark } from "./runner.ts";
import { singles } from "./single.ts";

const all = [...benchmarks, ...singles];
const { runs, takes, rounds, scale } = choice();

console.log(`Node.js ${process.version}, ${availableParallelism()} cores, medians of ${rounds} interleaved rounds\n`);
const results: Record<string, readonly Row[]> = {};
for (const whole of benchmarks.filter(runs)) {
  const benchmark = { ...whole, contenders: whole.contenders.filter(takes) };
  if (benchmark.contenders.length === 0) continue;
  const rows = rowsOf(benchmark, await runBenchmark(benchmark, rounds, scale));
  results[benchmark.name] = rows;
  for (const line of tableOf(benchmark, rows)) console.log(line);
}
const alone: Record<string, object> = {};
for (const { name, broker, measure } of singles.filter(runs)) {
  const run = (uri: string) => measure(scale, uri);
  const measured = broker === undefined ? run("memory:") : await withBroker(broker, run);
  alone[name] = measured;
  console.log(measured.text);
}

mkdirSync("bench/results", { recursive: true });
const file = `bench/results/${new Date().toISOString().replaceAll(":", "-")}.json`;
const machine = { node: process.version, cores: availableParallelism(), rounds, scale };
writeFileSync(file, `${JSON.stringify({ machine, results, alone }, null, 2)}\n`);
console.log(`Written to ${file}`);

function choice(): Choice {
  try {
    const read = readCommandLine(process.argv.slice(2), all);
    if (read !== "help") return read;
    console.log(usage(all));
    return process.exit(0);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`bench: ${error.message}; see npm run bench -- --help`);
    return process.exit(2);
  }
}
