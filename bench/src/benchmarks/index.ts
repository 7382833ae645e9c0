import type { Benchmark } from "../benchmark.ts";
import { amqpBenchmarks } from "./amqp.ts";
import { codec } from "./codec.ts";
import { kafkaBenchmarks } from "./kafka.ts";
import { matcher } from "./matcher.ts";
import { memoryEndToEnd } from "./memory.ts";
import { redisStreamsBenchmarks } from "./redis-streams.ts";
import { start } from "./start.ts";

/** In the order they run. */
export const benchmarks: readonly Benchmark[] = [
  memoryEndToEnd,
  matcher,
  codec,
  start,
  ...amqpBenchmarks,
  ...redisStreamsBenchmarks,
  ...kafkaBenchmarks,
];
