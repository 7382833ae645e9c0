export type { ClusterTarget } from "./client/endpoint.ts";
export type { RedisStreamsOptions } from "./client/options.ts";
export { fromUri, redisStreams } from "./redis-streams.ts";
export type { RedisStreamsTransport } from "./transport.ts";
