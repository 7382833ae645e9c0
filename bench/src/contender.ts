// Runs in a process of its own, so that no contender finds the heap and the compiled code of another: measures one contender
// of one benchmark a few times and prints the best, which is the one that others on the machine disturbed least.
import type { Sample, Work } from "./benchmark.ts";
import { benchmarks } from "./benchmarks/index.ts";

const [benchmarkName, contenderName, scale = "1"] = process.argv.slice(2);
const benchmark = benchmarks.find(({ name }) => name === benchmarkName);
const contender = benchmark?.contenders.find(({ name }) => name === contenderName);
if (benchmark === undefined || contender === undefined)
  throw new Error(`no contender "${contenderName}" of "${benchmarkName}"`);

const count = Math.max(1, Math.round(benchmark.count * Number(scale) * (contender.share ?? 1)));
const work = await contender.prepare();
await work.before?.(count);
await work.run(count);
const samples: Sample[] = [];
for (let time = 0; time < 3; time += 1) samples.push(await measure(work, count));
await work.close?.();
samples.sort((a, b) => b.perSecond - a.perSecond);
console.log(JSON.stringify(samples[0]));
process.exit(0);

async function measure({ before, run, latencies }: Work, units: number): Promise<Sample> {
  await before?.(units);
  const cpuBefore = process.cpuUsage();
  const begun = performance.now();
  await run(units);
  const seconds = (performance.now() - begun) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const sorted = latencies?.().toSorted((a, b) => a - b);
  const quantile = (q: number) => sorted?.[Math.floor(sorted.length * q)] ?? 0;
  const waits = sorted === undefined ? {} : { p50: quantile(0.5), p99: quantile(0.99) };
  return { perSecond: units / seconds, cpu: (user + system) / units, rss: process.memoryUsage().rss, ...waits };
}
