export type { ClusterTarget, RedisStreamsOptions } from "./options.ts";
export { fromUri, redisStreams } from "./redis-streams.ts";
export type { RedisStreamsTransport } from "./transport.ts";
