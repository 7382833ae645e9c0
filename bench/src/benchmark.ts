/** What is measured of one contender, in a process of its own. */
interface Contender {
  readonly name: string;
  /** What it does less than the others, so that nobody takes the numbers for more than they are. */
  readonly lacks?: string;
  /** Prepares, and returns what is measured: a function that handles `count` events. */
  readonly prepare: () => Promise<Work>;
}

export interface Work {
  readonly run: (count: number) => Promise<void>;
  readonly close?: () => Promise<void>;
}

/** Contenders that do the same, side by side. */
export interface Benchmark {
  readonly name: string;
  readonly title: string;
  /** How many events, matches or the like a measurement counts. */
  readonly count: number;
  /** What one of them is called. */
  readonly unit: string;
  /** The first is what the others are compared with. */
  readonly contenders: readonly Contender[];
}

/** One measurement of one contender. */
export interface Sample {
  /** Units per second of real time. */
  readonly perSecond: number;
  /** Microseconds of CPU per unit, all threads: garbage collection counts. */
  readonly cpu: number;
  /** Resident memory afterwards, in bytes. */
  readonly rss: number;
}
