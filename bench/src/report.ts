import type { Benchmark, Sample } from "./benchmark.ts";

/** One contender's medians. */
export interface Row {
  readonly contender: string;
  readonly perSecond: number;
  /** Units per second as a share of the first contender's. */
  readonly ratio: number;
  /** Microseconds of CPU per unit. */
  readonly cpu: number;
  /** The slowest and the quickest round, units per second: far apart on a noisy machine. */
  readonly range: readonly [least: number, most: number];
  readonly lacks: string;
  /** Milliseconds, where latencies are compared. */
  readonly p50?: number | undefined;
  readonly p99?: number | undefined;
}

/** Each contender's medians, beside the first. */
export function rowsOf({ contenders }: Benchmark, samples: ReadonlyMap<string, readonly Sample[]>): Row[] {
  let reference = 0;
  return contenders.map(({ name, lacks = "" }) => {
    const rates = (samples.get(name) ?? []).map(({ perSecond }) => perSecond).sort((a, b) => a - b);
    const perSecond = median(rates);
    reference ||= perSecond;
    const cpu = median((samples.get(name) ?? []).map((sample) => sample.cpu).sort((a, b) => a - b));
    const [p50, p99] = [medianOf(samples.get(name), "p50"), medianOf(samples.get(name), "p99")];
    return {
      contender: name,
      perSecond,
      ratio: perSecond / reference,
      cpu,
      range: [rates[0] ?? 0, rates.at(-1) ?? 0],
      lacks,
      p50,
      p99,
    };
  });
}

/** The rows as lines of text. */
export function tableOf({ title, unit }: Benchmark, rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(({ contender }) => contender.length));
  const head = `  ${"".padEnd(width)}  ratio  ${`${unit}/s`.padStart(11)}  us CPU    least ..    most`;
  if (rows.some(({ p50 }) => p50 !== undefined)) return latencyTableOf(title, width, rows);
  const lines = rows.map(({ contender, ratio, perSecond, cpu, range, lacks }) => {
    const figures = [
      contender.padEnd(width),
      ratio.toFixed(2).padStart(5),
      shown(perSecond).padStart(11),
      cpu.toFixed(2).padStart(6),
      `${shown(range[0]).padStart(7)} .. ${shown(range[1]).padStart(7)}`,
    ];
    return `  ${figures.join("  ")}${lacks === "" ? "" : `  ${lacks}`}`;
  });
  return [title, head, ...lines, ""];
}

/** Of latencies the ratio is that of the medians: below 1 is better. */
function latencyTableOf(title: string, width: number, rows: readonly Row[]): string[] {
  const reference = rows[0]?.p50 ?? 1;
  const lines = rows.map(({ contender, p50 = 0, p99 = 0, cpu, lacks }) => {
    const figures = [
      contender.padEnd(width),
      (p50 / reference).toFixed(2).padStart(5),
      `${p50.toFixed(2)} ms`.padStart(9),
      `${p99.toFixed(2)} ms`.padStart(9),
      cpu.toFixed(0).padStart(6),
    ];
    return `  ${figures.join("  ")}${lacks === "" ? "" : `  ${lacks}`}`;
  });
  return [title, `  ${"".padEnd(width)}  ratio        p50        p99  us CPU`, ...lines, ""];
}

function medianOf(samples: readonly Sample[] | undefined, what: "p50" | "p99"): number | undefined {
  const values = samples?.flatMap((sample) => sample[what] ?? []).sort((a, b) => a - b) ?? [];
  return values.length === 0 ? undefined : median(values);
}

function shown(rate: number): string {
  return rate >= 10_000 ? `${Math.round(rate / 1_000)}k` : rate.toFixed(rate >= 100 ? 0 : 2);
}

function median(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
