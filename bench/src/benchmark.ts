import type { BrokerKind } from "./brokers.ts";

/** What is measured of one contender, in a process of its own. */
interface Contender {
  readonly name: string;
  /** What it does less than the others, so that nobody takes the numbers for more than they are. */
  readonly lacks?: string;
  /** The share of the count that it is given, where more would only take longer; all of it unless set. */
  readonly share?: number;
  /** Prepares, and returns what is measured: a function that handles `count` events. */
  readonly prepare: () => Promise<Work>;
}

export interface Work {
  /** What has to be done before each measurement of so many, and is not measured. */
  readonly before?: (count: number) => Promise<void>;
  readonly run: (count: number) => Promise<void>;
  /** How long each took in the last run, in milliseconds, where that is what is compared. */
  readonly latencies?: () => readonly number[];
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
  /** The broker that has to run for it, at `PAPA_EVENTS_BENCH_BROKER`. */
  readonly broker?: BrokerKind;
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
  /** Milliseconds, where latencies are compared. */
  readonly p50?: number;
  readonly p99?: number;
}
