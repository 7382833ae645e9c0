// npm run bench [-- names ... --rounds n --contenders a,b --quick]: measures side by side, prints tables, writes bench/results/<time>.json.
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { Benchmark } from "./benchmark.ts";
import { benchmarks } from "./benchmarks/index.ts";
import { withBroker } from "./brokers.ts";
import { type Row, rowsOf, tableOf } from "./report.ts";
import { runBenchmark } from "./runner.ts";
import { singles } from "./single.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    contenders: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});
const names = [...benchmarks, ...singles].map(({ name }) => name);
/** `amqp` stands for all whose names begin with it. */
const stands = (word: string, name: string) => name === word || name.startsWith(`${word}-`);
const unknown = positionals.find((word) => !names.some((name) => stands(word, name)));
const rounds = values.quick ? 1 : Number(values.rounds);
if (unknown !== undefined || !(Number.isInteger(rounds) && rounds > 0)) {
  console.error(
    unknown === undefined ? "--rounds is a whole number of at least 1" : `"${unknown}" is none of ${names.join(", ")}`,
  );
  process.exit(2);
}
/** Words of contenders' names, such as `papa,amqplib`; the first of those left is what the others are compared with. */
const words = values.contenders?.split(",").map((word) => word.trim().toLowerCase());
const chosen = (benchmark: Benchmark): Benchmark => {
  const takes = ({ name }: { readonly name: string }) =>
    words?.some((word) => name.toLowerCase().includes(word)) ?? true;
  return { ...benchmark, contenders: benchmark.contenders.filter(takes) };
};
/** Those that need a broker run when they are asked for. */
const wanted = (name: string, broker?: string) =>
  positionals.length === 0 ? broker === undefined : positionals.some((word) => stands(word, name));
const scale = values.quick ? 0.2 : 1;

console.log(`Node.js ${process.version}, ${availableParallelism()} cores, medians of ${rounds} interleaved rounds\n`);
const results: Record<string, readonly Row[]> = {};
for (const benchmark of benchmarks.filter(({ name, broker }) => wanted(name, broker)).map(chosen)) {
  if (benchmark.contenders.length === 0) continue;
  const rows = rowsOf(benchmark, await runBenchmark(benchmark, rounds, scale));
  results[benchmark.name] = rows;
  for (const line of tableOf(benchmark, rows)) console.log(line);
}
const alone: Record<string, object> = {};
for (const { name, broker, measure } of singles.filter((single) => wanted(single.name, single.broker))) {
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
