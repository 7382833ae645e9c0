// npm run bench [-- names ... --rounds n --quick]: measures side by side, prints tables, writes bench/results/<time>.json.
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { benchmarks } from "./benchmarks/index.ts";
import { memoryGrowth } from "./growth.ts";
import { type Row, rowsOf, tableOf } from "./report.ts";
import { runBenchmark } from "./runner.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "5" }, quick: { type: "boolean", default: false } },
});
const names = [...benchmarks.map(({ name }) => name), "memory-growth"];
const unknown = positionals.find((name) => !names.includes(name));
const rounds = values.quick ? 1 : Number(values.rounds);
if (unknown !== undefined || !(Number.isInteger(rounds) && rounds > 0)) {
  console.error(
    unknown === undefined ? "--rounds is a whole number of at least 1" : `"${unknown}" is none of ${names.join(", ")}`,
  );
  process.exit(2);
}
const wanted = (name: string) => positionals.length === 0 || positionals.includes(name);
const scale = values.quick ? 0.2 : 1;

console.log(`Node.js ${process.version}, ${availableParallelism()} cores, medians of ${rounds} interleaved rounds\n`);
const results: Record<string, readonly Row[]> = {};
for (const benchmark of benchmarks.filter(({ name }) => wanted(name))) {
  const rows = rowsOf(benchmark, runBenchmark(benchmark, rounds, scale));
  results[benchmark.name] = rows;
  for (const line of tableOf(benchmark, rows)) console.log(line);
}
const growth = wanted("memory-growth") ? memoryGrowth(values.quick ? 200_000 : 1_000_000) : undefined;
if (growth !== undefined) console.log(growth.text);

mkdirSync("bench/results", { recursive: true });
const file = `bench/results/${new Date().toISOString().replaceAll(":", "-")}.json`;
const machine = { node: process.version, cores: availableParallelism(), rounds, scale };
writeFileSync(file, `${JSON.stringify({ machine, results, growth }, null, 2)}\n`);
console.log(`Written to ${file}`);
