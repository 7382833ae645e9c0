import { redisStreams } from "@papa-events/transport-redis-streams";
import { brokerBenchmarks } from "../broker-benchmarks.ts";
import { papaEvents } from "../papa-client.ts";
import { bullmq } from "../redis/bullmq.ts";
import { ioredis } from "../redis/ioredis.ts";
import { moleculer } from "../redis/moleculer.ts";

export const redisStreamsBenchmarks = brokerBenchmarks({
  kind: "redis-streams",
  title: "Redis 8.0",
  broker: "redis",
  contenders: [ioredis, papaEvents(redisStreams, { oneApp: true }), bullmq, moleculer],
  fanOuts: [1, 10, 100],
});
