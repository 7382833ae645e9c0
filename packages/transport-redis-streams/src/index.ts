export type { ClusterTarget, RedisStreamsOptions } from "./client/options.ts";
export { fromUri, redisStreams } from "./redis-streams.ts";
export type { RedisStreamsTransport } from "./transport.ts";
