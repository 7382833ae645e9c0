import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Benchmark, Sample } from "./benchmark.ts";
import { withBroker } from "./brokers.ts";

const contenderFile = fileURLToPath(new URL("contender.ts", import.meta.url));

/** The samples of each contender by name, a round after the other, so that a slow minute of the machine hits all alike. */
export async function runBenchmark(
  benchmark: Benchmark,
  rounds: number,
  scale: number,
): Promise<Map<string, Sample[]>> {
  if (benchmark.broker === undefined) return runOn(benchmark, rounds, scale, process.env);
  return withBroker(benchmark.broker, (uri) =>
    runOn(benchmark, rounds, scale, { ...process.env, PAPA_EVENTS_BENCH_BROKER: uri }),
  );
}

function runOn(
  { name, contenders }: Benchmark,
  rounds: number,
  scale: number,
  env: NodeJS.ProcessEnv,
): Map<string, Sample[]> {
  const samples = new Map<string, Sample[]>(contenders.map((contender) => [contender.name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of contenders) {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [contenderFile, name, contender.name, String(scale)],
        { encoding: "utf8", env },
      );
      if (status !== 0) throw new Error(`${name}: ${contender.name} failed:\n${stderr}`);
      samples.get(contender.name)?.push(JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Sample);
    }
  }
  return samples;
}
